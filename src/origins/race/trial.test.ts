import { beforeEach, describe, expect, it } from 'vitest';
import { scriptedStream } from '../../../test/fakes/effects/byte-source.ts';
import { type FakeClock, fakeClock } from '../../../test/fakes/effects/clock.ts';
import { type FakeFetch, fakeFetch, never, originOf } from '../../../test/fakes/effects/fetch.ts';
import { bytes } from '../../../test/fakes/effects/values.ts';
import type { Origin } from '../origin.ts';
import { Pool } from '../health/pool.ts';
import { startTrials } from './trial.ts';

const SECOND = 1_000;
const KIB = 1024;
const a = originOf('a');
const b = originOf('b');
const c = originOf('c');
const QUESTION = { path: '/m/@v/v1.0.0.info' };
const ZIP = { path: '/m/@v/v1.0.0.zip', isZip: true };

let clock: FakeClock;
let pool: Pool;
beforeEach(() => {
  clock = fakeClock();
  pool = new Pool({ clock, random: () => 0.5 });
});

function fail(count: number, origin = a): void {
  const failure = { origin: origin.name, cause: 'timeout', text: 'no answer' } as const;
  for (let at = 0; at < count; at++) pool.failed(origin, failure, { isZip: false, bytes: 0 });
}

/** Zips of `origin` freeze after 16 KB. */
function freeze(count: number, origin = a): void {
  const failure = { origin: origin.name, cause: 'timeout', text: 'no answer' } as const;
  const observation = { isZip: true, headersAfter: 80, bytes: 16 * KIB };
  for (let at = 0; at < count; at++) pool.failed(origin, failure, observation);
}

/**
 * Starts the trials for a question, and gives what goes on in the background until all of it has
 * ended.
 */
function start(
  ranked: readonly Origin[],
  fetch: FakeFetch,
  question: Parameters<typeof startTrials>[1] = QUESTION,
) {
  const labels: string[] = [];
  const work: Promise<unknown>[] = [];
  startTrials(ranked, question, {
    clock,
    fetch,
    pool,
    background(label, promise) {
      labels.push(label);
      work.push(promise);
    },
  });
  return { labels, ended: Promise.all(work) };
}

/** A body of so many times 16 KiB, each with this `first` byte, and what was taken of it. */
function longBody(pieces: number, first = 0x50) {
  const seen = { bytes: 0, cancelled: false };
  function* parts() {
    for (let at = 0; at < pieces; at++) {
      seen.bytes += 16 * KIB;
      yield new Uint8Array(16 * KIB).fill(first, 0, 1).fill(0x4b, 1, 2);
    }
  }
  const stream = scriptedStream(parts(), { onCancel: () => void (seen.cancelled = true) });
  return { seen, reply: () => new Response(stream) };
}

const brokenBody = (start: string) =>
  new Response(scriptedStream([bytes(start)], { breaksWith: new Error('reset') }));
const well = () => new Response('{"Version":"v1.0.0"}');
const hosts = ({ calls }: FakeFetch) => calls.map(({ url }) => new URL(url).host).join(' ');

describe('who is tried', () => {
  it('the best unwell origin whose trial is due, with the question at hand, in the background; then the next one', async () => {
    fail(3);
    fail(1, c);
    await clock.advance(30 * SECOND);
    const fetch = fakeFetch({ 'https://': well });
    for (let at = 0; at < 2; at++) {
      const { labels, ended } = start([b, c, a], fetch);
      await ended;
      expect(labels).toEqual(['trial']);
    }
    expect(fetch.calls.map(({ url }) => url)).toEqual([
      'https://c/m/@v/v1.0.0.info',
      'https://a/m/@v/v1.0.0.info',
    ]);
    expect([a, b, c].map((origin) => pool.counters(origin).asked)).toEqual([1, 0, 1]);
  });

  it('nobody who is well', async () => {
    const fetch = fakeFetch({ 'https://': well });
    await start([a, b, c], fetch).ended;
    await start([], fetch).ended;
    expect(hosts(fetch)).toBe('');
  });

  it.each([
    [1, 4_999, ''],
    [1, 5_000, 'a'],
    [3, 29_999, ''],
    [3, 30_000, 'a'],
  ])('after %d failures, %d ms later: %j', async (failures, later, tried) => {
    fail(failures);
    await clock.advance(later);
    const fetch = fakeFetch({ 'https://': well });
    await start([b, a], fetch).ended;
    expect(hosts(fetch)).toBe(tried);
  });

  it('one question at a time tries an origin, and another one when nothing was heard for a while', async () => {
    fail(1);
    await clock.advance(5 * SECOND);
    // headers that never come, of an origin with a lot of patience
    const slow = originOf('a', { limits: { headersMs: 60_000, stallMs: 60_000 } });
    const fetch = fakeFetch({ 'https://': never });
    for (const seconds of [0, 2, 2]) {
      await clock.advance(seconds * SECOND);
      start([b, slow], fetch);
    }
    expect(hosts(fetch)).toBe('a');
    await clock.advance(SECOND);
    expect(pool.counters(a)).toMatchObject({ asked: 1, failed: 2 });
    await clock.advance(5 * SECOND);
    start([b, slow], fetch);
    expect(hosts(fetch)).toBe('a a');
  });

  it('where nobody is well nobody is: the request itself is the trial of the best one', async () => {
    fail(1);
    fail(1, b);
    await clock.advance(5 * SECOND);
    const fetch = fakeFetch({ 'https://': well });
    await start([a, b], fetch).ended;
    expect(hosts(fetch)).toBe('');
    // and nobody else needs to try that one meanwhile
    expect([pool.takeTrial(a, false), pool.takeTrial(b, false)]).toEqual([false, true]);
  });

  it('an origin whose zips freeze is tried for zips alone', async () => {
    freeze(3);
    await clock.advance(30 * SECOND);
    const fetch = fakeFetch({ 'https://': well });
    await start([b, a], fetch, QUESTION).ended;
    expect(hosts(fetch)).toBe('');
    await start([b, a], fetch, ZIP).ended;
    expect(hosts(fetch)).toBe('a');
  });
});

describe('what the trial decides', () => {
  type Case = [what: string, state: string, reply: () => Response | Promise<Response>];
  it.each<Case>([
    ['the file', 'closed', well],
    ['"no such file"', 'closed', () => new Response('not found', { status: 404 })],
    ['"gone"', 'closed', () => new Response('gone', { status: 410 })],
    ['a page', 'open', () => new Response('<html>Pay here')],
    ['status 500', 'open', () => new Response('', { status: 500 })],
    ['status 503', 'open', () => new Response('', { status: 503 })],
    ['status 403', 'open', () => new Response('', { status: 403 })],
    [
      'a redirect to nowhere',
      'open',
      () => new Response('', { status: 302, headers: { Location: 'ftp://x' } }),
    ],
    ['no connection', 'open', () => Promise.reject(new TypeError('refused'))],
    ['a body that breaks off', 'open', () => brokenBody('v')],
    // its word on the module is of no use, and yet it answers
    ['"fetch timed out"', 'closed', () => new Response('fetch timed out', { status: 404 })],
  ])('after %s it is %s', async (_, state, reply) => {
    fail(3);
    await clock.advance(30 * SECOND);
    await start([b, a], fakeFetch({ 'https://a': reply })).ended;
    expect(pool.state(a, false)).toBe(state);
    // a failure opens it for twice the time
    expect(pool.breaker(a, false).openings).toBe(state === 'open' ? 2 : 1);
  });

  it('a 400 is an answer where it is one for the question, and a failure where it is not', async () => {
    const states = [];
    for (const is400Missing of [true, false]) {
      fail(1);
      await clock.advance(5 * SECOND);
      const fetch = fakeFetch({ 'https://a': () => new Response('no', { status: 400 }) });
      await start([b, a], fetch, { ...QUESTION, is400Missing }).ended;
      states.push(pool.isUnwell(a, false));
    }
    expect(states).toEqual([false, true]);
  });

  it('silence is a failure, after the limit for headers and 5 s at most', async () => {
    fail(3);
    await clock.advance(30 * SECOND);
    const slow = originOf('a', { limits: { headersMs: 60_000, stallMs: 60_000 } });
    const { ended } = start([b, slow], fakeFetch({ 'https://a': never }));
    await clock.advance(5 * SECOND - 1);
    expect(pool.state(a, false)).toBe('half-open');
    await clock.advance(1);
    await ended;
    expect([pool.state(a, false), pool.counters(a).lastFailure?.text]).toEqual([
      'open',
      'no answer within 5 s',
    ]);
  });

  it('its success is seen by the next question: the origin is ranked as ever and its latency known', async () => {
    fail(1);
    await clock.advance(5 * SECOND);
    const fetch = fakeFetch({
      'https://a': async () => {
        await clock.sleep(90);
        return well();
      },
    });
    const { ended } = start([b, a], fetch);
    await clock.advance(90);
    await ended;
    expect([pool.isUnwell(a, false), pool.health(a).latency.some((weight) => weight > 0)]).toEqual([
      false,
      true,
    ]);
  });
});

describe('the body of a trial', () => {
  it.each([
    [1, 'open'],
    [2, 'open'], // a read that was not completed may have had nearly as much
    [3, 'closed'],
    [4, 'closed'],
    [1_000, 'closed'],
  ])('of %d times 16 KiB, where zips froze after the first: %s', async (pieces, state) => {
    freeze(3);
    await clock.advance(30 * SECOND - 1);
    expect(pool.state(a, true)).toBe('open');
    await clock.advance(1);
    const { reply } = longBody(pieces);
    await start([b, a], fakeFetch({ 'https://a': reply }), ZIP).ended;
    expect([pool.isOut(a, true) ? 'open' : 'closed', pool.state(a, false)]).toEqual([
      state,
      'closed',
    ]);
  });

  it('that freezes again says so of zips alone', async () => {
    freeze(3);
    await clock.advance(30 * SECOND);
    const { ended } = start(
      [b, a],
      fakeFetch({ 'https://a': () => brokenBody('x'.repeat(20_000)) }),
      ZIP,
    );
    await ended;
    expect([pool.state(a, true), pool.state(a, false)]).toEqual(['open', 'closed']);
    expect(pool.breaker(a, true).openings).toBe(2);
  });

  it.each([
    ['a zip', 0x50],
    ['a page', '<'.charCodeAt(0)],
  ])('%s is given up after 64 KiB', async (_, first) => {
    fail(1);
    await clock.advance(5 * SECOND);
    const { reply, seen } = longBody(1_000, first);
    await start([b, a], fakeFetch({ 'https://a': reply }), ZIP).ended;
    expect(seen).toEqual({ bytes: 64 * KIB, cancelled: true });
  });
});
