import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FakeModule, makeModule, makeVersion } from '../fakes/origin/module.ts';
import { noise } from '../fakes/zip/zip-writer.ts';
import { freshGoHome, runGo } from '../go/go.ts';

export interface DownloadOptions {
  readonly proxy: string;
  readonly gosumdb: string;
  /** Paths of modules with a v1.0.0. */
  readonly modules: readonly string[];
  /** Milliseconds after which the go command is killed; default 120,000. */
  readonly timeout?: number;
}

/** The result of a timed download. `failed` has the error output of the go command. */
export type TimedDownload =
  | { readonly kind: 'done'; readonly seconds: number }
  | { readonly kind: 'killed'; readonly seconds: number }
  | { readonly kind: 'failed'; readonly text: string };

/** The wall time of a `go mod download` with an empty module cache. */
export async function timedDownload(
  go: string,
  { proxy, gosumdb, modules, timeout = 120_000 }: DownloadOptions,
): Promise<TimedDownload> {
  const home = await freshGoHome();
  try {
    const requires = modules.map((path) => `\t${path} v1.0.0\n`);
    const mod = `module example.org/program\n\ngo 1.21\n\nrequire (\n${requires.join('')})\n`;
    await writeFile(join(home.path, 'go.mod'), mod);
    const started = Date.now();
    const { code, stderr } = await runGo(go, ['mod', 'download'], {
      home,
      proxy,
      gosumdb,
      timeout,
    });
    const seconds = (Date.now() - started) / 1000;
    if (code === 0) return { kind: 'done', seconds };
    return code === null ? { kind: 'killed', seconds } : { kind: 'failed', text: stderr };
  } finally {
    await home.close();
  }
}

/**
 * A module whose v1.0.0 has a zip of about `bytes` incompressible bytes. Another `seed` gives other
 * bytes.
 */
export function noiseModule(
  path: string,
  { bytes, seed }: { bytes: number; seed: number },
): FakeModule {
  const files = Object.fromEntries(
    Array.from({ length: FILES }, (_, file) => [
      `data${file}.bin`,
      noise(Math.floor(bytes / FILES), seed * FILES + file + 1),
    ]),
  );
  return makeModule(path, {
    'v1.0.0': makeVersion(path, 'v1.0.0', { 'go.mod': `module ${path}\n\ngo 1.21\n`, ...files }),
  });
}

const FILES = 10;
