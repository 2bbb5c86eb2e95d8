import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheClaims, edgeClaims } from '../contracts/cache-claims.ts';
import { durableClaims } from '../contracts/durable-claims.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const SETTINGS = { compatibilityDate: '2026-10-01', compatibilityFlags: ['nodejs_compat'] };

let miniflare: Miniflare;
let url: URL;
let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modferry-contracts-'));
  miniflare = new Miniflare({
    ...convertV4MiniflareOptions({
      host: '127.0.0.1',
      port: 0,
      cf: false,
      workers: [
        {
          name: 'contracts',
          ...SETTINGS,
          r2Buckets: { FILES: 'files' },
          kvNamespaces: { META: 'meta' },
          modules: [{ type: 'ESModule', path: 'worker.js', contents: await bundle() }],
        },
      ],
    }),
    resourcePersistencePath: join(directory, 'state'),
  });
  url = await miniflare.ready;
});
afterAll(async () => {
  await miniflare?.dispose();
  await rm(directory, { recursive: true, force: true });
});

/** The Worker of test/contracts, in one module. */
async function bundle(): Promise<string> {
  const wrangler = join(ROOT, 'node_modules', 'wrangler', 'bin', 'wrangler.js');
  const entry = join(ROOT, 'test', 'contracts', 'worker.ts');
  const outdir = join(directory, 'bundle');
  const flags = SETTINGS.compatibilityFlags.flatMap((flag) => ['--compatibility-flags', flag]);
  await promisify(execFile)(
    process.execPath,
    [wrangler, 'deploy', entry, '--dry-run', '--outdir', outdir, ...flags],
    { cwd: ROOT, env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true' } },
  );
  return readFile(join(outdir, 'worker.js'), 'utf8');
}

async function verdict(suite: string, at: number): Promise<string> {
  return (await fetch(new URL(`/${suite}/${at}`, url))).text();
}

describe.each([
  ['r2', durableClaims],
  ['kv', cacheClaims],
  ['edge', cacheClaims],
  ['edge clock', edgeClaims],
])('%s in workerd', (suite, claims) => {
  it.each(claims.map(({ claim }, at) => [claim, at] as const))('%s', async (_, at) => {
    expect(await verdict(suite, at)).toBe('ok');
  });
});
