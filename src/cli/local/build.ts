import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { wranglerScript } from './wrangler-path.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');

export interface BuildOptions {
  /** Path of the Worker in this repository. Default: that of modferry. */
  readonly entry?: string | undefined;
  /** Ends the build. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A Worker as `wrangler deploy` would upload it: one ES module, as text, and what `compiledModules`
 * finds in it. Rejects with wrangler's own messages when it does not build.
 */
export async function buildWorker({
  entry = 'src/worker.ts',
  signal,
}: BuildOptions = {}): Promise<string> {
  const outdir = await mkdtemp(join(tmpdir(), 'modferry-build-'));
  try {
    await promisify(execFile)(
      process.execPath,
      [wranglerScript(), 'deploy', entry, '--dry-run', '--outdir', outdir],
      {
        cwd: ROOT,
        signal,
        env: {
          ...process.env,
          WRANGLER_SEND_METRICS: 'false',
          WRANGLER_HIDE_BANNER: 'true',
          CI: 'true',
        },
      },
    );
    return await readFile(join(outdir, `${basename(entry, '.ts')}.js`), 'utf8');
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}

/** The folder of all WebAssembly in the source. */
const COMPILED = join(ROOT, 'src', 'bytes', 'sha256-pairs');

/**
 * The compiled modules that a built Worker imports. wrangler puts the hash of each before the name
 * of its file.
 */
export async function compiledModules(script: string) {
  const imported = script.matchAll(/from\s*["']\.\/([0-9a-f]+-([\w-]+\.wasm))["']/g);
  return Promise.all(
    [...imported].map(async ([, path = '', file = '']) => ({
      type: 'CompiledWasm' as const,
      path,
      contents: await readFile(join(COMPILED, file)),
    })),
  );
}
