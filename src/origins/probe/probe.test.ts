import { describe, expect, it } from 'vitest';
import { openHttpDriver } from '../../../test/fakes/effects/ask.ts';
import { scriptedStream } from '../../../test/fakes/effects/byte-source.ts';
import { fakeClock, type FakeClock } from '../../../test/fakes/effects/clock.ts';
import { fakeFetch, type FakeFetch, never, originOf } from '../../../test/fakes/effects/fetch.ts';
import { fakeHealth } from '../../../test/fakes/effects/health.ts';
import { after, freezing } from '../../../test/fakes/effects/race-scene.ts';
import { makeVersion } from '../../../test/fakes/origin/module.ts';
import { noise } from '../../../test/fakes/zip/zip-writer.ts';
import { Connections } from '../../effects/connections.ts';
import type { ProbeEvent } from '../events.ts';
import type { HealthRegistry } from '../health/registry.ts';
import type { Origin } from '../origin.ts';
import type { Upstream } from '../upstream.ts';
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
const notNow = () =>
  new Response('not found: git.corp.example/secret: fetch timed out', { status: 404 });
const tile = () => new Response('github.com/a/b v1.0.0 h1:abc=\n'.repeat(1_600));
const latest = () => new Response('go.sum database tree\n1\n');

const origin = originOf('a.example');

/** An upstream with the files of golang.org/x/text. */
function upstreamOf(origin: Origin): Upstream {
  return {
    id: origin.name,
    origin,
    probe: {
      small: { path: MOD, isExpected: startsWith('module ') },
      large: { path: ZIP, isExpected: startsWith('PK') },
    },
  };
}

function databaseOf(host: string): Upstream {
  return {
    id: `sum.golang.org at ${host}`,
    origin: originOf(host),
    database: 'sum.golang.org',
    probe: {
      small: { path: '/latest', isExpected: startsWith('go.sum database tree') },
      large: { path: '/tile/8/data/000', isExpected: startsWith('github.com/') },
    },
  };
}

function startsWith(text: string): (start: Uint8Array) => boolean {
  return (start) => new TextDecoder().decode(start).startsWith(text);
}

interface Run {
  readonly upstreams: readonly Upstream[];
  readonly fetch: FakeFetch;
  readonly clock?: FakeClock;
  readonly health?: HealthRegistry;
}

async function run({ upstreams, fetch, clock = fakeClock(), health = fakeHealth(clock) }: Run) {
  const events: ProbeEvent[] = [];
  const work = probe(upstreams, {
    health,
    clock,
    connections: new Connections(),
    openDriver: openHttpDriver({ fetch, clock }),
    limitMs: 25_000,
    emit: (event) => void events.push(event),
  });
  await clock.advance(600_000);
  const round = await work;
  return { round, events, health };
}

it('every upstream with probe files is asked for two files, and emits an event', async () => {
  const upstreams = [
    ...['good', 'page', 'gone', 'down'].map((name) => upstreamOf(originOf(`${name}.example`))),
    { ...upstreamOf(originOf('corp.example')), probe: undefined },
    ...['sum.golang.org', 'sum.golang.google.cn'].map(databaseOf),
  ];
  const fetch = fakeFetch({
    [`https://good.example${MOD}`]: mod,
    [`https://good.example${ZIP}`]: zip,
    'https://page.example': () => new Response('<html>'),
    'https://gone.example': () => new Response('', { status: 404 }),
    'https://sum.golang.org/latest': latest,
    'https://sum.golang.org/tile/8/data/000': tile,
  });
  const { events, round } = await run({ upstreams, fetch });
  expect(events.map(({ origin, verdict, large }) => [origin, verdict, large])).toEqual([
    ['good.example', 'ok', 'ok'],
    ['page.example', 'another file than the known one', 'another file than the known one'],
    ['gone.example', 'not found', 'not found'],
    ['down.example', 'connection failed', undefined],
    ['sum.golang.org', 'ok', 'ok'],
    ['sum.golang.google.cn', 'connection failed', undefined],
  ]);
  expect(events.map(({ event, database }) => [event, database]).at(-1)).toEqual([
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

describe('a large file', () => {
  const upstreams = [upstreamOf(origin)];

  it('is read up to 128 KiB, and the rest is cancelled', async () => {
    let cancelled = 0;
    const pieces = Array.from({ length: 20 }, (_, at) =>
      bytes.slice(at * 16_384, (at + 1) * 16_384),
    );
    const body = scriptedStream(pieces, { onCancel: () => (cancelled += 1) });
    const fetch = fakeFetch({
      [`https://a.example${MOD}`]: mod,
      'https://a.example': new Response(body),
    });
    const { round } = await run({ upstreams, fetch });
    expect(round.results[0]?.large).toMatchObject({ isUp: true, verdict: 'ok', bytes: 128 * 1024 });
    expect(cancelled).toBe(1);
  });

  it('shows the rate, and like the small one the time until the headers', async () => {
    const clock = fakeClock();
    const slowly = scriptedStream([bytes.slice(0, 131_072)], { pause: () => clock.sleep(500) });
    const fetch = fakeFetch({
      [`https://a.example${MOD}`]: after(clock, 80, mod),
      'https://a.example': after(clock, 120, () => new Response(slowly)),
    });
    const { events, health, round } = await run({ upstreams, fetch, clock });
    const { small, large } = round.results[0] ?? {};
    expect([small?.headersAfter, large?.headersAfter]).toEqual([80, 120]);
    expect(large?.rate).toBeGreaterThan(100_000);
    expect(health.of(origin).rate).toBeGreaterThan(100_000);
    expect(events[0]).toMatchObject({
      verdict: 'ok',
      headersAfter: 80,
      large: 'ok',
      bytes: 131_072,
    });
  });

  it('that freezes after 16 KB opens the bulk breaker and not that for answers', async () => {
    const fetch = fakeFetch({
      [`https://a.example${MOD}`]: mod,
      'https://a.example': freezing(16_384),
    });
    const health = fakeHealth(fakeClock());
    for (let time = 0; time < 3; time++) await run({ upstreams, fetch, health });
    const { reach, bulk } = health.of(origin);
    expect([reach.failures, bulk.failures, bulk.until > 0]).toEqual([0, 3, true]);
  });

  it('with 404 counts as an answer, and not for the bulk breaker', async () => {
    const health = fakeHealth(fakeClock());
    const freezes = fakeFetch({
      [`https://a.example${MOD}`]: mod,
      'https://a.example': freezing(16_384),
    });
    await run({ upstreams, fetch: freezes, health });
    const none = fakeFetch({
      'https://a.example': () => new Response('not found', { status: 404 }),
    });
    const { round } = await run({ upstreams, fetch: none, health });
    expect(round.results[0]?.large).toMatchObject({ isUp: true, verdict: 'not found' });
    expect([health.of(origin).reach.failures, health.of(origin).bulk.failures]).toEqual([0, 1]);
  });

  it('is not requested where not even the headers of the small one arrived', async () => {
    const fetch = fakeFetch({ 'https://a.example': never });
    const { events, round } = await run({ upstreams, fetch });
    expect(fetch.calls.length).toBe(1);
    expect(round.results[0]).not.toHaveProperty('large');
    expect(events[0]).toMatchObject({ verdict: 'no answer within 10 s' });
  });
});

it('three failed probes open the breaker, and a successful one closes it', async () => {
  const upstreams = [upstreamOf(origin)];
  const health = fakeHealth(fakeClock());
  for (let time = 0; time < 3; time++) await run({ upstreams, fetch: fakeFetch({}), health });
  expect(health.isTripped(origin)).toBe(true);
  const fetch = fakeFetch({ [`https://a.example${MOD}`]: mod, 'https://a.example': zip });
  await run({ upstreams, fetch, health });
  expect(health.isTripped(origin)).toBe(false);
});

it('the text of a "not now" is not repeated, and the origin counts as up', async () => {
  const upstreams = [upstreamOf(origin)];
  const { events, health, round } = await run({
    upstreams,
    fetch: fakeFetch({ 'https://a.example': notNow }),
  });
  expect(round.results[0]?.small).toMatchObject({
    isUp: true,
    verdict: 'it could not fetch the file itself',
  });
  expect(JSON.stringify([events, round])).not.toContain('secret');
  expect(health.of(origin).reach.failures).toBe(0);
});

it('neither addresses nor credentials are in the events or the history', async () => {
  const url = 'https://a.example/t/TOKEN';
  const secret = originOf('a.example', { url, authorization: 'Basic hunter2' });
  const { events, round } = await run({ upstreams: [upstreamOf(secret)], fetch: fakeFetch({}) });
  expect(JSON.stringify([events, round])).not.toMatch(/TOKEN|hunter2|https|Basic/);
});
