import { beforeEach, describe, expect, it } from 'vitest';
import { openHttpDriver } from '../../../test/fakes/effects/ask.ts';
import { scriptedStream } from '../../../test/fakes/effects/byte-source.ts';
import { type FakeClock, fakeClock } from '../../../test/fakes/effects/clock.ts';
import { type FakeFetch, fakeFetch, never, originOf } from '../../../test/fakes/effects/fetch.ts';
import { failTimes } from '../../../test/fakes/effects/health.ts';
import { bytes } from '../../../test/fakes/effects/values.ts';
import { Connections } from '../../effects/connections.ts';
import type { Origin } from '../origin.ts';
import { HealthRegistry } from '../health/registry.ts';
import type { QuestionTerms } from '../request/question.ts';
import { startTrials } from './trial.ts';

const SECOND = 1_000;
const NO_ANSWER = { kind: 'timeout', ms: 10_000 } as const;
const KIB = 1024;
const a = originOf('a');
const b = originOf('b');
const c = originOf('c');
const QUESTION: QuestionTerms = { path: '/m/@v/v1.0.0.info' };
const ZIP: QuestionTerms = { path: '/m/@v/v1.0.0.zip', policy: { lane: 'bulk' } };

let clock: FakeClock;
let health: HealthRegistry;
beforeEach(() => {
  clock = fakeClock();
  health = new HealthRegistry({ clock, random: () => 0.5 });
});

function fail(count: number, origin = a): void {
  failTimes(health, origin, count, { reason: NO_ANSWER });
}

/** Zips of `origin` freeze after 16 KB. */
function freeze(count: number, origin = a): void {
  failTimes(health, origin, count, {
    reason: NO_ANSWER,
    lane: 'bulk',
    headersMs: 80,
    bytes: 16 * KIB,
  });
}

/** Starts the trials for a question; `ended` resolves when the background work is done. */
function start(
  ranked: readonly Origin[],
  fetch: FakeFetch,
  question = QUESTION,
  connections = new Connections(),
) {
  const labels: string[] = [];
  const work: Promise<unknown>[] = [];
  startTrials(ranked, question, {
    clock,
    connections,
    openDriver: openHttpDriver({ fetch, clock }),
    health,
    background(label, promise) {
      labels.push(label);
      work.push(promise);
    },
  });
  return { labels, ended: Promise.all(work) };
}

/** A body of so many times 16 KiB, each with this `first` byte, and how much of it was read. */
function longBody(pieces: number, first = 0x50) {
  const seen = { bytes: 0, cancelled: false };
  function* parts() {
    for (let at = 0; at < pieces; at++) {
      seen.bytes += 16 * KIB;
      const piece = new Uint8Array(16 * KIB);
      piece.set([first, 0x4b, 3, 4]);
      yield piece;
    }
  }
  const stream = scriptedStream(parts(), { onCancel: () => void (seen.cancelled = true) });
  return { seen, reply: () => new Response(stream) };
}

const brokenBody = (start: string) =>
  new Response(scriptedStream([bytes(start)], { breaksWith: new Error('reset') }));
const info = () => new Response('{"Version":"v1.0.0"}');
const hosts = ({ calls }: FakeFetch) => calls.map(({ url }) => new URL(url).host).join(' ');

describe('a trial', () => {
  it('tries the best suspect origin that is due, with the question at hand, in the background', async () => {
    fail(3);
    fail(1, c);
    await clock.advance(30 * SECOND);
    const fetch = fakeFetch({ 'https://': info });
    for (let at = 0; at < 2; at++) {
      const { labels, ended } = start([b, c, a], fetch);
      await ended;
      expect(labels).toEqual(['trial']);
    }
    expect(fetch.calls.map(({ url }) => url)).toEqual([
      'https://c/m/@v/v1.0.0.info',
      'https://a/m/@v/v1.0.0.info',
    ]);
    expect([a, b, c].map((origin) => health.counters(origin).requests)).toEqual([1, 0, 1]);
  });

  it('is left to another request by one that has few calls left', async () => {
    fail(3);
    await clock.advance(30 * SECOND);
    const connections = new Connections({ externalCalls: 50 });
    for (let at = 0; at < 40; at++) await connections.call('external', async () => undefined);
    const fetch = fakeFetch({ 'https://': info });
    expect(start([b, a], fetch, QUESTION, connections).labels).toEqual([]);
    expect(start([b, a], fetch).labels).toEqual(['trial']);
  });

  it('tries no healthy origin', async () => {
    const fetch = fakeFetch({ 'https://': info });
    await start([a, b, c], fetch).ended;
    await start([], fetch).ended;
    expect(hosts(fetch)).toBe('');
  });

  it.each([
    [1, 4_999, ''],
    [1, 5_000, 'a'],
    [3, 29_999, ''],
    [3, 30_000, 'a'],
  ])('after %d failures, %d ms later, tries %j', async (failures, later, tried) => {
    fail(failures);
    await clock.advance(later);
    const fetch = fakeFetch({ 'https://': info });
    await start([b, a], fetch).ended;
    expect(hosts(fetch)).toBe(tried);
  });

  it('is made by one request at a time, and by another one when it took too long', async () => {
    fail(1);
    await clock.advance(5 * SECOND);
    // headers that never arrive, of an origin with long limits
    const slow = originOf('a', { limits: { headersMs: 60_000, stallMs: 60_000 } });
    const fetch = fakeFetch({ 'https://': never });
    for (const seconds of [0, 2, 2]) {
      await clock.advance(seconds * SECOND);
      start([b, slow], fetch);
    }
    expect(hosts(fetch)).toBe('a');
    await clock.advance(SECOND);
    expect(health.counters(a)).toMatchObject({ requests: 1, failures: 2 });
    await clock.advance(5 * SECOND);
    start([b, slow], fetch);
    expect(hosts(fetch)).toBe('a a');
  });

  it('is the request itself where every origin is suspect', async () => {
    fail(1);
    fail(1, b);
    await clock.advance(5 * SECOND);
    const fetch = fakeFetch({ 'https://': info });
    await start([a, b], fetch).ended;
    expect(hosts(fetch)).toBe('');
    // and that trial is claimed
    expect([health.claimTrial(a, 'reach'), health.claimTrial(b, 'reach')]).toEqual([false, true]);
  });

  it('of an origin whose zips freeze is made for zips alone', async () => {
    freeze(3);
    await clock.advance(30 * SECOND);
    const fetch = fakeFetch({ 'https://': info });
    await start([b, a], fetch, QUESTION).ended;
    expect(hosts(fetch)).toBe('');
    await start([b, a], fetch, ZIP).ended;
    expect(hosts(fetch)).toBe('a');
  });
});

describe('the outcome of a trial', () => {
  type Case = [what: string, state: string, reply: () => Response | Promise<Response>];
  it.each<Case>([
    ['the file', 'closed', info],
    ['"no such file"', 'closed', () => new Response('not found', { status: 404 })],
    ['"gone"', 'closed', () => new Response('gone', { status: 410 })],
    ['a page', 'half-open', () => new Response('<html>Pay here')],
    ['status 500', 'half-open', () => new Response('', { status: 500 })],
    ['status 503', 'half-open', () => new Response('', { status: 503 })],
    ['status 403', 'closed', () => new Response('', { status: 403 })],
    [
      'a redirect to nowhere',
      'half-open',
      () => new Response('', { status: 302, headers: { Location: 'ftp://x' } }),
    ],
    ['no connection', 'open', () => Promise.reject(new TypeError('refused'))],
    ['a body that breaks off', 'open', () => brokenBody('v')],
    // of no use for this module, and yet an answer
    ['"fetch timed out"', 'closed', () => new Response('fetch timed out', { status: 404 })],
  ])('after %s the breaker is %s', async (_, state, reply) => {
    fail(3);
    await clock.advance(30 * SECOND);
    await start([b, a], fakeFetch({ 'https://a': reply })).ended;
    expect(health.state(a, 'reach')).toBe(state);
    // a failure opens it for twice the time
    expect(health.breaker(a, 'reach').openings).toBe(state === 'open' ? 2 : 1);
  });

  it('a 400 is an answer where `areRefusalsAnswers`, and elsewhere a failure', async () => {
    const states = [];
    for (const areRefusalsAnswers of [true, false]) {
      fail(1);
      await clock.advance(5 * SECOND);
      const fetch = fakeFetch({ 'https://a': () => new Response('no', { status: 400 }) });
      await start([b, a], fetch, { ...QUESTION, policy: { areRefusalsAnswers } }).ended;
      states.push(health.isSuspect(a, 'reach'));
    }
    expect(states).toEqual([false, true]);
  });

  it('without headers it fails after the limit for headers, and after 5 s at most', async () => {
    fail(3);
    await clock.advance(30 * SECOND);
    const slow = originOf('a', { limits: { headersMs: 60_000, stallMs: 60_000 } });
    const { ended } = start([b, slow], fakeFetch({ 'https://a': never }));
    await clock.advance(5 * SECOND - 1);
    expect(health.state(a, 'reach')).toBe('half-open');
    await clock.advance(1);
    await ended;
    expect([health.state(a, 'reach'), health.counters(a).lastFailure?.reason]).toEqual([
      'open',
      { kind: 'timeout', ms: 5_000 },
    ]);
  });

  it('of success is seen by the next question: the origin is healthy and its latency is recorded', async () => {
    fail(1);
    await clock.advance(5 * SECOND);
    const fetch = fakeFetch({
      'https://a': async () => {
        await clock.sleep(90);
        return info();
      },
    });
    const { ended } = start([b, a], fetch);
    await clock.advance(90);
    await ended;
    expect([
      health.isSuspect(a, 'reach'),
      health.of(a).latency.some((weight) => weight > 0),
    ]).toEqual([false, true]);
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
    expect(health.state(a, 'bulk')).toBe('open');
    await clock.advance(1);
    const { reply } = longBody(pieces);
    await start([b, a], fakeFetch({ 'https://a': reply }), ZIP).ended;
    expect([health.isSuspect(a, 'bulk') ? 'open' : 'closed', health.state(a, 'reach')]).toEqual([
      state,
      'closed',
    ]);
  });

  it('that freezes again opens the breaker for zips alone', async () => {
    freeze(3);
    await clock.advance(30 * SECOND);
    const { ended } = start(
      [b, a],
      fakeFetch({ 'https://a': () => brokenBody('x'.repeat(20_000)) }),
      ZIP,
    );
    await ended;
    expect([health.state(a, 'bulk'), health.state(a, 'reach')]).toEqual(['open', 'closed']);
    expect(health.breaker(a, 'bulk').openings).toBe(2);
  });

  it.each([
    ['a zip', 0x50],
    ['a page', '<'.charCodeAt(0)],
  ])('%s is cancelled after 64 KiB', async (_, first) => {
    fail(1);
    await clock.advance(5 * SECOND);
    const { reply, seen } = longBody(1_000, first);
    await start([b, a], fakeFetch({ 'https://a': reply }), ZIP).ended;
    expect(seen).toEqual({ bytes: 64 * KIB, cancelled: true });
  });
});
