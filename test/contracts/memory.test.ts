import { describe, expect, it } from 'vitest';
import { fakeClock } from '../fakes/effects/clock.ts';
import { memoryCache, memoryEdge, memoryStore } from '../fakes/store/memory-store.ts';
import { memoryShared } from '../fakes/store/shared-state.ts';
import { cacheClaims, edgeClaims } from './cache-claims.ts';
import { durableClaims } from './durable-claims.ts';
import { sharedClaims } from './shared-claims.ts';

describe('the durable store in memory', () => {
  it.each(durableClaims)('$claim', async ({ check }) => {
    await expect(check(memoryStore())).resolves.toBeUndefined();
  });
});

describe('the cache in memory', () => {
  it.each(cacheClaims)('$claim', async ({ check }) => {
    await expect(check(memoryCache())).resolves.toBeUndefined();
  });
});

describe('the edge cache in memory', () => {
  it.each(cacheClaims)('$claim', async ({ check }) => {
    await expect(check(memoryEdge(fakeClock()))).resolves.toBeUndefined();
  });
  it.each(edgeClaims)('$claim', async ({ check }) => {
    const clock = fakeClock();
    const pass = (seconds: number) => clock.advance(seconds * 1000);
    await expect(check({ store: memoryEdge(clock), pass })).resolves.toBeUndefined();
  });
});

describe('the shared state in memory', () => {
  it.each(sharedClaims)('$claim', async ({ check }) => {
    const clock = fakeClock();
    const pass = (seconds: number) => clock.advance(seconds * 1000);
    await expect(check({ state: memoryShared(clock), pass })).resolves.toBeUndefined();
  });
});
