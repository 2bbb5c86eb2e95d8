import { describe, expect, it } from 'vitest';
import { DataCentreEntries } from '../../src/platform/cloudflare/data-centre.ts';
import { edgeCache } from '../../src/platform/cloudflare/edge-cache.ts';
import { kvStore } from '../../src/platform/cloudflare/kv.ts';
import { r2Store } from '../../src/platform/cloudflare/r2.ts';
import { edgeSharedState, kvSharedState } from '../../src/platform/cloudflare/shared-state.ts';
import { versionKey } from '../../src/store/key.ts';
import { modulePath, version } from '../fakes/effects/values.ts';
import { type FakeClock, fakeClock } from '../fakes/effects/clock.ts';
import { memoryBucket } from '../platform/memory/bucket.ts';
import { edgeInMemory } from '../platform/memory/edge.ts';
import { memoryNamespace } from '../platform/memory/namespace.ts';
import { installStreams } from '../platform/memory/streams.ts';
import { cacheClaims, edgeClaims } from './cache-claims.ts';
import { durableClaims } from './durable-claims.ts';
import { sharedClaims } from './shared-claims.ts';

// The bindings in memory behave as those of workerd, to the adapters that stand on both.

installStreams();

const entriesInMemory = (clock: FakeClock) =>
  new DataCentreEntries(edgeInMemory(clock), { clock, host: () => 'modferry.example' });

describe('R2 in memory', () => {
  it.each(durableClaims)('$claim', async ({ check }) => {
    await expect(check(r2Store(memoryBucket()))).resolves.toBeUndefined();
  });
});

describe('KV in memory', () => {
  it.each(cacheClaims)('$claim', async ({ check }) => {
    const namespace = memoryNamespace(fakeClock()).seenFrom('A');
    await expect(check(kvStore(namespace))).resolves.toBeUndefined();
  });
  it.each(sharedClaims)('$claim', async ({ check }) => {
    const clock = fakeClock();
    const pass = (seconds: number) => clock.advance(seconds * 1000);
    const state = kvSharedState(memoryNamespace(clock).seenFrom('A'), clock);
    await expect(check({ state, pass })).resolves.toBeUndefined();
  });
});

it('a copy in KV ends with its life', async () => {
  const clock = fakeClock();
  const store = kvStore(memoryNamespace(clock).seenFrom('A'));
  const key = versionKey(modulePath('example.com/m'), version('v1.0.0'), 'mod');
  const file = { bytes: new Uint8Array(1), etag: '"e"' };
  await store.write(key, file, { asOf: clock.now(), seconds: 3_600 });
  await clock.advance(3_599_000);
  expect(await store.read(key)).toBeDefined();
  await clock.advance(301_000); // a data centre keeps what it has read for 300 s
  expect(await store.read(key)).toBeUndefined();
});

describe('the edge cache in memory', () => {
  it.each(cacheClaims)('$claim', async ({ check }) => {
    const clock = fakeClock();
    await expect(check(edgeCache(entriesInMemory(clock)))).resolves.toBeUndefined();
  });
  it.each(edgeClaims)('$claim', async ({ check }) => {
    const clock = fakeClock();
    const pass = (seconds: number) => clock.advance(seconds * 1000);
    const store = edgeCache(entriesInMemory(clock));
    await expect(check({ store, pass })).resolves.toBeUndefined();
  });
  it.each(sharedClaims)('$claim', async ({ check }) => {
    const clock = fakeClock();
    const pass = (seconds: number) => clock.advance(seconds * 1000);
    const state = edgeSharedState(entriesInMemory(clock));
    await expect(check({ state, pass })).resolves.toBeUndefined();
  });
});
