import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';

const ROOT = join(import.meta.dirname, '..', '..');
const SETTINGS = { compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'] };

export interface BundledWorker {
  readonly url: URL;
  close(): Promise<void>;
}

/** A small Worker of the tests' own in workerd, with an R2 bucket FILES and a KV namespace META. */
export async function startBundledWorker(entry: string): Promise<BundledWorker> {
  const directory = await mkdtemp(join(tmpdir(), 'modferry-bundled-'));
  const miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: 0,
      cf: false,
      workers: [
        {
          name: 'bundled',
          ...SETTINGS,
          r2Buckets: { FILES: 'files' },
          kvNamespaces: { META: 'meta' },
          modules: [
            { type: 'ESModule', path: 'worker.js', contents: await bundle(entry, directory) },
          ],
        },
      ],
    }),
    resourcePersistencePath: join(directory, 'state'),
  });
  return {
    url: await miniflare.ready,
    async close() {
      await miniflare.dispose();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A Worker of this repository in one module, as wrangler would deploy it. */
async function bundle(entry: string, directory: string): Promise<string> {
  const wrangler = join(ROOT, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
  const outdir = join(directory, 'bundle');
  const flags = SETTINGS.compatibilityFlags.flatMap((flag) => ['--compatibility-flags', flag]);
  await promisify(execFile)(
    process.execPath,
    [wrangler, 'deploy', join(ROOT, entry), '--dry-run', '--outdir', outdir, ...flags],
    { cwd: ROOT, env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' } },
  );
  return readFile(join(outdir, basename(entry).replace(/\.ts$/, '.js')), 'utf8');
}
