import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheClaims, edgeClaims } from '../contracts/cache-claims.ts';
import { durableClaims } from '../contracts/durable-claims.ts';
import { sharedClaims } from '../contracts/shared-claims.ts';
import { type BundledWorker, startBundledWorker } from './bundled-worker.ts';

let worker: BundledWorker;
beforeAll(async () => {
  worker = await startBundledWorker('test/contracts/worker.ts');
});
afterAll(() => worker.close());

async function verdict(suite: string, at: number): Promise<string> {
  return (await fetch(new URL(`/${suite}/${at}`, worker.url))).text();
}

describe.each([
  ['r2', durableClaims],
  ['kv', cacheClaims],
  ['edge', cacheClaims],
  ['edge clock', edgeClaims],
  ['edge shared', sharedClaims],
  ['kv shared', sharedClaims],
])('%s in workerd', (suite, claims) => {
  it.each(claims.map(({ claim }, at) => [claim, at] as const))('%s', async (_, at) => {
    expect(await verdict(suite, at)).toBe('ok');
  });
});
