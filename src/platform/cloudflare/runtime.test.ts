import { afterEach, expect, it, vi } from 'vitest';
import { edgeInMemory } from '../../../test/platform/memory/edge.ts';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { cloudflareRuntime } from './runtime.ts';

afterEach(() => vi.unstubAllGlobals());

it("an origin's answer is kept by no cache of the platform", async () => {
  const sent: unknown[] = [];
  vi.stubGlobal('fetch', async (...parameters: unknown[]) => {
    sent.push(parameters);
    return new Response('ok');
  });
  vi.stubGlobal('caches', { default: edgeInMemory(fakeClock()) });
  const runtime = cloudflareRuntime({}, () => 'modferry.example');
  await runtime.fetch('https://origin.example/x', { headers: { 'User-Agent': 'modferry' } });
  expect(sent).toEqual([
    ['https://origin.example/x', { headers: { 'User-Agent': 'modferry' }, cf: { cacheTtl: -1 } }],
  ]);
});
