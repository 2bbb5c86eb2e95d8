import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Response } from 'miniflare';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type Modferry, type ModferryOptions, startModferry } from './modferry.ts';
import { fetchOrigins } from './origin-report.ts';

// What one isolate learnt of the origins is known to the next one, which here is the next modferry
// on the same files.

let bad: FakeOrigin;
let good: FakeOrigin;
let stateDirectory: string;
const running: Modferry[] = [];
beforeEach(async () => {
  bad = await startOrigin({ modules: fixtureModules(), prefix: '/t/SECRET-TOKEN' });
  good = await startOrigin({ modules: fixtureModules() });
  stateDirectory = await mkdtemp(join(tmpdir(), 'modferry-shared-'));
});
afterEach(async () => {
  for (const modferry of running.splice(0)) await modferry.stop();
  await bad.close();
  await good.close();
  await rm(stateDirectory, { recursive: true, force: true });
});

async function start(without: ModferryOptions['without'] = []): Promise<Modferry> {
  const ORIGINS = JSON.stringify([
    { name: 'bad', url: bad.url },
    { name: 'good', url: good.url },
  ]);
  const modferry = await startModferry({ variables: { ORIGINS }, stateDirectory, without });
  running.push(modferry);
  return modferry;
}

const stateOf = async (modferry: Modferry) =>
  (await fetchOrigins(modferry)).origins[0]?.breakers.reach.state;

/** Its breaker opens: an origin that asks for patience is left alone at once. */
async function loseBad(modferry: Modferry): Promise<void> {
  bad.fault({ status: 429, headers: { 'retry-after': '300' } });
  expect((await fetch(`${modferry.url}/example.com/hello/@v/list`)).status).toBe(200);
  expect(await stateOf(modferry)).toBe('open');
}

async function sharedInCache({ miniflare, url }: Modferry): Promise<string> {
  const caches = await miniflare.getCaches();
  return vi.waitFor(async () => {
    await fetch(`${url}/healthz`);
    const found = await caches.default.match('https://modferry.invalid/shared/-%2Fhealth');
    if (!found) throw new Error('Cannot find it in the cache');
    return found.text();
  }, 15_000);
}

async function sharedInKV({ miniflare, url }: Modferry): Promise<string> {
  const namespace = await miniflare.getKVNamespace('META');
  return vi.waitFor(async () => {
    await fetch(`${url}/healthz`);
    const text = await namespace.get('-/health', 'text');
    if (text === null) throw new Error('Cannot find it in KV');
    return text;
  }, 15_000);
}

/** A modferry that has just started avoids `bad`, which is well again and would answer. */
async function expectKnowing(modferry: Modferry): Promise<void> {
  bad.reset();
  await vi.waitFor(async () => expect(await stateOf(modferry)).toBe('open'), 10_000);
  const answer = await fetch(`${modferry.url}/gopkg.in/yaml.v2/@v/list`);
  await answer.arrayBuffer();
  expect(answer.status).toBe(200);
  expect([bad.count(), good.count('/gopkg.in/yaml.v2/@v/list')]).toEqual([0, 1]);
}

describe('an outage that one modferry learnt', () => {
  it('is known to the next one from the data centre, without KV and R2', async () => {
    const first = await start(['META', 'FILES']);
    await loseBad(first);
    expect(await sharedInCache(first)).not.toMatch(/SECRET|127\.0\.0\.1|bad/);
    await first.stop();
    await expectKnowing(await start(['META', 'FILES']));
  });

  it('is known to the next one from KV, in a data centre that knows nothing', async () => {
    const first = await start();
    await loseBad(first);
    expect(await sharedInKV(first)).not.toMatch(/SECRET|127\.0\.0\.1|bad/);
    await first.miniflare.purgeCache();
    await first.stop();
    await expectKnowing(await start());
  });
});

it('damaged knowledge is reported and ignored, and nobody waits for it', async () => {
  const first = await start();
  const namespace = await first.miniflare.getKVNamespace('META');
  const until = Date.now() + 600_000;
  for (const key of ['-/health', '-/probes'])
    await namespace.put(key, '{"version":1,"origins":[SECRET', { metadata: { until } });
  const caches = await first.miniflare.getCaches();
  await caches.default.put(
    'https://modferry.invalid/shared/-%2Fhealth',
    new Response('SECRET', {
      headers: { 'Cache-Control': 'public, max-age=600', 'X-Modferry-Until': String(until) },
    }),
  );
  expect((await fetch(`${first.url}/example.com/hello/@v/list`)).status).toBe(200);
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  const labels = ['health in KV', 'health in the data centre', 'history of probes'];
  await vi.waitFor(() => {
    const troubles = first.log.filter(({ event }) => event === 'trouble');
    expect([...new Set(troubles.map(({ label }) => String(label)))].toSorted()).toEqual(labels);
  });
  expect(JSON.stringify(first.log)).not.toContain('SECRET');
});
