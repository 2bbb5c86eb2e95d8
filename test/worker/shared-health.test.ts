import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Response } from 'miniflare';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { entryAddress } from '../../src/platform/cloudflare/data-centre.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type Modferry, type ModferryOptions, startModferry } from './modferry.ts';
import { fetchOrigins } from './origin-report.ts';
import { eventually } from '../eventually.ts';

// What one isolate recorded about the origins is available to the next one, which here is the next
// modferry on the same files.

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

/** Its breaker opens: an origin that asks for a long pause is not asked any more. */
async function openBreaker(modferry: Modferry): Promise<void> {
  bad.fault({ status: 429, headers: { 'retry-after': '300' } });
  expect((await fetch(`${modferry.url}/example.com/hello/@v/list`)).status).toBe(200);
  expect(await stateOf(modferry)).toBe('open');
}

async function sharedInCache({ miniflare, url }: Modferry): Promise<string> {
  const caches = await miniflare.getCaches();
  return eventually(async () => {
    await fetch(`${url}/healthz`);
    const found = await caches.default.match(entryAddress('127.0.0.1', '-/health'));
    if (!found) throw new Error('Cannot find the shared health in the cache');
    return found.text();
  });
}

async function sharedInKV({ miniflare, url }: Modferry): Promise<string> {
  const namespace = await miniflare.getKVNamespace('META');
  return eventually(async () => {
    await fetch(`${url}/healthz`);
    const text = await namespace.get('-/health', 'text');
    if (text === null) throw new Error('Cannot find the shared health in KV');
    return text;
  });
}

/** A modferry that has just started avoids `bad`, which would answer again. */
async function expectAvoided(modferry: Modferry): Promise<void> {
  bad.reset();
  await eventually(async () => expect(await stateOf(modferry)).toBe('open'), 10_000);
  const answer = await fetch(`${modferry.url}/gopkg.in/yaml.v2/@v/list`);
  await answer.arrayBuffer();
  expect(answer.status).toBe(200);
  expect({ bad: bad.count(), good: good.count('/gopkg.in/yaml.v2/@v/list') }).toEqual({
    bad: 0,
    good: 1,
  });
}

describe('an outage that one modferry saw', () => {
  it('is read by the next one from the data centre, without KV and R2', async () => {
    const first = await start(['META', 'FILES']);
    await openBreaker(first);
    expect(await sharedInCache(first)).not.toMatch(/SECRET|127\.0\.0\.1|"bad"/);
    await first.stop();
    await expectAvoided(await start(['META', 'FILES']));
  });

  it('is read by the next one from KV, in another data centre', async () => {
    const first = await start();
    await openBreaker(first);
    expect(await sharedInKV(first)).not.toMatch(/SECRET|127\.0\.0\.1|"bad"/);
    await first.miniflare.purgeCache();
    await first.stop();
    await expectAvoided(await start());
  });
});

it('damaged shared health is logged and ignored, and requests are answered meanwhile', async () => {
  const first = await start();
  const namespace = await first.miniflare.getKVNamespace('META');
  const until = Date.now() + 600_000;
  for (const key of ['-/health', '-/probes'])
    await namespace.put(key, '{"version":1,"origins":[SECRET', { metadata: { until } });
  const caches = await first.miniflare.getCaches();
  await caches.default.put(
    entryAddress('127.0.0.1', '-/health'),
    new Response('SECRET', {
      headers: { 'Cache-Control': 'public, max-age=600', 'X-Modferry-Until': String(until) },
    }),
  );
  expect((await fetch(`${first.url}/example.com/hello/@v/list`)).status).toBe(200);
  expect((await fetch(`${first.url}/readyz`)).status).toBe(200);
  const labels = ['health in KV', 'health in the data centre', 'history of probes'];
  await eventually(() => {
    const troubles = first.log.filter(({ event }) => event === 'trouble');
    expect([...new Set(troubles.map(({ label }) => String(label)))].toSorted()).toEqual(labels);
  });
  expect(JSON.stringify(first.log)).not.toContain('SECRET');
});
