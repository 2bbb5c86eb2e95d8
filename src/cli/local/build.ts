import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const ROOT = join(import.meta.dirname, '..', '..', '..');

/**
 * The Worker as `wrangler deploy` would upload it: one ES module, as text. Rejects with wrangler's
 * own words when it does not build. `signal` ends it.
 */
export async function buildWorker(signal?: AbortSignal): Promise<string> {
  const outdir = await mkdtemp(join(tmpdir(), 'modferry-build-'));
  try {
    const wrangler = join(
      dirname(createRequire(import.meta.url).resolve('wrangler/package.json')),
      'bin',
      'wrangler.js',
    );
    await promisify(execFile)(
      process.execPath,
      [wrangler, 'deploy', '--dry-run', '--outdir', outdir],
      {
        cwd: ROOT,
        ...(signal ? { signal } : {}),
        env: {
          ...process.env,
          WRANGLER_SEND_METRICS: 'false',
          WRANGLER_HIDE_BANNER: 'true',
          CI: 'true',
        },
      },
    );
    return await readFile(join(outdir, 'worker.js'), 'utf8');
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}
