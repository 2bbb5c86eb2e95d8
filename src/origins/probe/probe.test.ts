import { describe, expect, it } from 'vitest';
import { scriptedStream } from '../../../test/fakes/effects/byte-source.ts';
import { fakeClock, type FakeClock } from '../../../test/fakes/effects/clock.ts';
import { fakeFetch, type FakeFetch, never, originOf } from '../../../test/fakes/effects/fetch.ts';
import { fakePool } from '../../../test/fakes/effects/health.ts';
import { makeVersion } from '../../../test/fakes/origin/module.ts';
import { after, freezing } from '../../../test/fakes/effects/race-scene.ts';
import { noise } from '../../../test/fakes/zip/zip-writer.ts';
import { type Config, parseConfig } from '../../config/config.ts';
import type { Pool } from '../health/pool.ts';
import { probe } from './probe.ts';

const MOD = '/golang.org/x/text/@v/v0.3.0.mod';
const ZIP = '/golang.org/x/text/@v/v0.3.0.zip';
const mod = () => new Response('module golang.org/x/text\n');
const bytes = new Uint8Array(
  makeVersion('golang.org/x/text', 'v0.3.0', {
    'go.mod': 'module golang.org/x/text\n',
    'data.bin': noise(400_000),
  }).zip as Uint8Array,
);
const zip = () => new Response(bytes);
const said = () =>
  new Response('not found: git.corp.example/secret: fetch timed out', { status: 404 });
const tile = () => new Response('github.com/a/b v1.0.0 h1:abc=\n'.repeat(1_600));
const latest = () => new Response('go.sum database tree\n1\n');

function configOf(ORIGINS: string, SUMDBS = 'off'): Config {
  const parsed = parseConfig({ ORIGINS, SUMDBS, CORP: 'user:hunter2' });
  if (!parsed.ok) throw new Error(parsed.reason.join());
  return parsed.value;
}

interface Run {
  readonly config: Config;
  readonly fetch: FakeFetch;
  readonly clock?: FakeClock;
  readonly pool?: Pool;
}

async function run({ config, fetch, clock = fakeClock(), pool = fakePool(clock) }: Run) {
  const lines: string[] = [];
  const work = probe({ config, pool, clock, fetch, writeLog: (line) => lines.push(line) });
  await clock.advance(600_000);
  const round = await work;
  return {
    round,
    lines: lines.map((line) => JSON.parse(line) as Record<string, unknown>),
    pool,
    clock,
  };
}

it('every origin and database is asked for two files, and each has its line in the log', async () => {
  const ORIGINS =
    '[{"url":"good"},{"url":"page"},{"url":"gone"},{"url":"down"},{"url":"corp","modules":"x.example"}]';
  const config = configOf(
    ORIGINS.replaceAll(/"url":"(\w+)"/g, '"url":"$1.example"'),
    'sum.golang.org',
  );
  const fetch = fakeFetch({
    [`https://good.example${MOD}`]: mod,
    [`https://good.example${ZIP}`]: zip,
    'https://page.example': () => new Response('<html>'),
    'https://gone.example': () => new Response('', { status: 404 }),
    'https://sum.golang.org/latest': latest,
    'https://sum.golang.org/tile/8/data/000': tile,
  });
  const { lines, round } = await run({ config, fetch });
  expect(lines.map(({ origin, verdict, large }) => [origin, verdict, large])).toEqual([
    ['good.example', 'ok', 'ok'],
    ['page.example', 'another file than the known one', 'another file than the known one'],
    ['gone.example', 'not found', 'not found'],
    ['down.example', 'connection failed', undefined],
    ['sum.golang.org', 'ok', 'ok'],
    ['sum.golang.google.cn', 'connection failed', undefined],
  ]);
  expect(lines.map(({ event, database }) => [event, database]).at(-1)).toEqual([
    'probe',
    'sum.golang.org',
  ]);
  expect(round.results.map(({ small, large }) => [small.isUp, large?.isUp])).toEqual([
    [true, true],
    [false, false],
    [true, true],
    [false, undefined],
    [true, true],
    [false, undefined],
  ]);
  expect(new Set(round.results.map(({ id }) => id)).size).toBe(6);
});

it('an origin for certain modules is probed with the version that it names, and not without one', async () => {
  const config = configOf(
    JSON.stringify([
      { url: 'a.example', modules: '*.corp.example', probe: 'git.corp.example/Tool@v1.2.0' },
      { url: 'b.example', modules: 'git.b.example' },
    ]),
  );
  const fetch = fakeFetch({
    'https://a.example/git.corp.example/!tool/@v/v1.2.0.mod': () =>
      new Response('// A tool.\n\nmodule git.corp.example/Tool\n'),
    'https://a.example/git.corp.example/!tool/@v/v1.2.0.zip': zip,
  });
  const { lines } = await run({ config, fetch });
  expect(lines.map(({ origin, verdict, large }) => [origin, verdict, large])).toEqual([
    ['a.example', 'ok', 'ok'],
  ]);
  expect(fetch.calls.length).toBe(2);
});

describe('of a large file', () => {
  const config = configOf('a.example');
  const [origin = originOf('')] = config.origins;

  it('128 KiB are read, and the rest is cancelled', async () => {
    let cancelled = 0;
    const pieces = Array.from({ length: 20 }, (_, at) =>
      bytes.slice(at * 16_384, (at + 1) * 16_384),
    );
    const body = scriptedStream(pieces, { onCancel: () => (cancelled += 1) });
    const fetch = fakeFetch({
      [`https://a.example${MOD}`]: mod,
      'https://a.example': new Response(body),
    });
    const { round } = await run({ config, fetch });
    expect(round.results[0]?.large).toMatchObject({ isUp: true, verdict: 'ok', bytes: 128 * 1024 });
    expect(cancelled).toBe(1);
  });

  it('the rate is measured, and the time until the headers of both', async () => {
    const clock = fakeClock();
    const slowly = scriptedStream([bytes.slice(0, 131_072)], { pause: () => clock.sleep(500) });
    const fetch = fakeFetch({
      [`https://a.example${MOD}`]: after(clock, 80, mod),
      'https://a.example': after(clock, 120, () => new Response(slowly)),
    });
    const { lines, pool, round } = await run({ config, fetch, clock });
    const { small, large } = round.results[0] ?? {};
    expect([small?.headersAfter, large?.headersAfter]).toEqual([80, 120]);
    expect(large?.rate).toBeGreaterThan(100_000);
    expect(pool.health(origin).rate).toBeGreaterThan(100_000);
    expect(lines[0]).toMatchObject({
      verdict: 'ok',
      headersAfter: 80,
      large: 'ok',
      bytes: 131_072,
    });
  });

  it('a body that freezes after 16 KB is the bulk breaker, and no matter of reach', async () => {
    const fetch = fakeFetch({
      [`https://a.example${MOD}`]: mod,
      'https://a.example': freezing(16_384),
    });
    const pool = fakePool(fakeClock());
    for (let time = 0; time < 3; time++) await run({ config, fetch, pool });
    const { reach, bulk } = pool.health(origin);
    expect([reach.failures, bulk.failures, bulk.until > 0]).toEqual([0, 3, true]);
  });

  it('a 404 says nothing of the bulk, and that somebody is there', async () => {
    const pool = fakePool(fakeClock());
    const freezes = fakeFetch({
      [`https://a.example${MOD}`]: mod,
      'https://a.example': freezing(16_384),
    });
    await run({ config, fetch: freezes, pool });
    const none = fakeFetch({
      'https://a.example': () => new Response('not found', { status: 404 }),
    });
    const { round } = await run({ config, fetch: none, pool });
    expect(round.results[0]?.large).toMatchObject({ isUp: true, verdict: 'not found' });
    expect([pool.health(origin).reach.failures, pool.health(origin).bulk.failures]).toEqual([0, 1]);
  });

  it('none is asked for where not even the headers of the small one came', async () => {
    const fetch = fakeFetch({ 'https://a.example': never });
    const { lines, round } = await run({ config, fetch });
    expect(fetch.calls.length).toBe(1);
    expect(round.results[0]).not.toHaveProperty('large');
    expect(lines[0]).toMatchObject({ verdict: 'no answer within 10 s' });
  });
});

it('three probes that fail open the breaker, and one that succeeds closes it', async () => {
  const config = configOf('a.example');
  const [origin = originOf('')] = config.origins;
  const pool = fakePool(fakeClock());
  for (let time = 0; time < 3; time++) await run({ config, fetch: fakeFetch({}), pool });
  expect(pool.isOut(origin, false)).toBe(true);
  const fetch = fakeFetch({ [`https://a.example${MOD}`]: mod, 'https://a.example': zip });
  await run({ config, fetch, pool });
  expect(pool.isOut(origin, false)).toBe(false);
});

it('what an origin says of its own troubles is not repeated, and not held against it', async () => {
  const config = configOf('a.example');
  const { lines, pool, round } = await run({
    config,
    fetch: fakeFetch({ 'https://a.example': said }),
  });
  expect(round.results[0]?.small).toMatchObject({
    isUp: true,
    verdict: 'it could not fetch the file itself',
  });
  expect(JSON.stringify([lines, round])).not.toContain('secret');
  expect(config.origins.map((origin) => pool.health(origin).reach.failures)).toEqual([0]);
});

it('neither addresses nor credentials are in the log or the history', async () => {
  const config = configOf('[{"url":"https://a.example/t/TOKEN","auth":"CORP"}]');
  const { lines, round } = await run({ config, fetch: fakeFetch({}) });
  expect(JSON.stringify([lines, round])).not.toMatch(/TOKEN|hunter2|https|Basic/);
});
