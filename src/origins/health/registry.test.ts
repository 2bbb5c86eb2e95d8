import { beforeEach, describe, expect, it } from 'vitest';
import { originOf } from '../../../test/fakes/effects/fetch.ts';
import { failTimes } from '../../../test/fakes/effects/health.ts';
import { type Failure, type FailureReason, wrongContent } from '../failure.ts';
import type { BreakerState } from './breaker.ts';
import type { Lane } from './health.ts';
import { percentile } from './latency.ts';
import type { Observation } from './observation.ts';
import { HealthRegistry } from './registry.ts';

const SECOND = 1_000;
const KIB = 1024;
const a = originOf('a');
const b = originOf('b');

let now: number;
let health: HealthRegistry;
beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
  health = freshRegistry();
});

/** A registry on the same clock, without jitter. */
function freshRegistry(): HealthRegistry {
  return new HealthRegistry({ clock: { now: () => now, steady: () => now }, random: () => 0.5 });
}

const TIMEOUT: FailureReason = { kind: 'timeout', ms: 10_000 };
const UNREACHABLE: FailureReason = { kind: 'unreachable' };
const STATUS: FailureReason = { kind: 'status', status: 500 };
const OVERLOADED: FailureReason = { kind: 'overloaded', status: 503 };
const PAGE = wrongContent('an HTML page');
const MISMATCH: FailureReason = {
  kind: 'mismatch',
  hashes: { database: 'sum.example', expected: 'h1:a', found: 'h1:b' },
};

function failure(reason: FailureReason, retryAfterSeconds?: number): Failure {
  return { origin: 'a', reason, retryAfterSeconds };
}

const MOD: Observation = { lane: 'reach', headersMs: 80, bytes: 500, bodyMs: 1 };
const ZIP: Observation = { lane: 'bulk', headersMs: 80, bytes: 200 * KIB, bodyMs: 100 };

/** The body of a zip that stalls after so many bytes. */
function frozen(bytes = 16 * KIB, where = health): void {
  where.recordFailure(a, failure(TIMEOUT), { ...ZIP, bytes });
}

/** No headers arrived. */
function unanswered(lane: Lane = 'reach', where = health): void {
  where.recordFailure(a, failure(TIMEOUT), { lane, headersMs: undefined, bytes: 0 });
}

function times(count: number, work: () => void): void {
  for (let at = 0; at < count; at++) work();
}

/** States of `reach` and of `bulk`. */
const states = (origin = a, where = health) =>
  (['reach', 'bulk'] as const).map((lane) => where.state(origin, lane)).join(' ');

describe('answers and bodies of zips have a breaker each', () => {
  it('both are closed before the first request', () => {
    expect([
      states(),
      health.isSuspect(a, 'reach'),
      health.isSuspect(a, 'bulk'),
      health.isTripped(a),
    ]).toEqual(['closed closed', false, false, false]);
  });

  type Case = [what: string, failure: Failure, observation: Observation, states: string];
  it.each<Case>([
    ['zips that freeze after 16 KB', failure(TIMEOUT), { ...ZIP, bytes: 16 * KIB }, 'closed open'],
    ['zips that break off', failure(UNREACHABLE), ZIP, 'closed open'],
    ['zips without headers', failure(TIMEOUT), { lane: 'bulk', bytes: 0 }, 'open open'],
    ['zips without a connection', failure(UNREACHABLE), { lane: 'bulk', bytes: 0 }, 'open open'],
    ['zips with status 500', failure(STATUS), { ...ZIP, bytes: 0 }, 'closed closed'],
    ['zips with status 503', failure(OVERLOADED), { ...ZIP, bytes: 0 }, 'closed closed'],
    ['pages for zips', failure(PAGE), ZIP, 'closed closed'],
    ['zips with a wrong hash', failure(MISMATCH), ZIP, 'closed closed'],
    ['small files that freeze', failure(TIMEOUT), MOD, 'open open'],
    ['small files that never come', failure(UNREACHABLE), { lane: 'reach', bytes: 0 }, 'open open'],
  ])('three %s leave them %j', (_, why, observation, expected) => {
    times(3, () => health.recordFailure(a, why, observation));
    expect(states()).toBe(expected);
    expect(states(b)).toBe('closed closed');
  });

  it('small files that come do not close the breaker of zips that freeze', () => {
    times(3, () => frozen());
    times(50, () => health.recordSuccess(a, MOD));
    expect(states()).toBe('closed open');
  });

  it('the worse one counts for a zip', () => {
    const seen: [number, number][] = [];
    const look = () =>
      seen.push([health.breaker(a, 'bulk').failures, health.breaker(a, 'reach').failures]);
    frozen();
    look();
    times(2, () => unanswered());
    look();
    // bulk is open for 30 s, reach is not, whatever its failures
    times(2, () => frozen());
    look();
    // both are open, reach for longer
    now += SECOND;
    unanswered();
    look();
    expect(seen).toEqual([
      [1, 0],
      [2, 2],
      [3, 2],
      [3, 3],
    ]);
    expect(health.breaker(a, 'bulk')).toBe(health.of(a).reach);
  });

  it('an open one is worse than a closed one with more failures', () => {
    times(2, () => frozen());
    health.recordFailure(a, failure(OVERLOADED, 90), { ...MOD, bytes: 0 });
    expect([states(), health.breaker(a, 'bulk').failures]).toEqual(['open open', 1]);
  });

  it('a Retry-After opens the one for answers at once', () => {
    health.recordFailure(a, failure(OVERLOADED, 90), { ...MOD, bytes: 0 });
    expect([states(), health.of(a).reach.until]).toEqual(['open open', now + 90 * SECOND]);
  });
});

describe('after a zip broke', () => {
  it.each([
    // more has to arrive than arrived before, and than an incomplete read may have received
    [0, 16 * KIB, 'open'],
    [0, 16 * KIB + 1, 'closed'],
    [16 * KIB, 32 * KIB, 'open'],
    [16 * KIB, 32 * KIB + 1, 'closed'],
    [900 * KIB, 916 * KIB, 'open'],
    [900 * KIB, 916 * KIB + 1, 'closed'],
    // 4 MB show that the connection has no limit
    [900 * 1024 * KIB, 4 * 1024 * KIB, 'open'],
    [900 * 1024 * KIB, 4 * 1024 * KIB + 1, 'closed'],
  ])('after %d bytes, one of %d bytes leaves the breaker %s', (broke, bytes, state) => {
    times(3, () => frozen(broke));
    health.recordSuccess(a, { ...ZIP, bytes });
    expect(states()).toBe(`closed ${state}`);
  });

  it('a zip has to be longer than the last broken one', () => {
    frozen(20 * KIB);
    frozen(4 * KIB);
    expect(health.of(a).brokeAfter).toBe(20 * KIB);
    health.recordSuccess(a, { ...ZIP, bytes: 21 * KIB });
    expect(health.isSuspect(a, 'bulk')).toBe(false);
  });

  it('without a stall, any longer body closes the breaker', () => {
    health.recordFailure(a, failure(UNREACHABLE), { ...ZIP, bytes: 0 });
    health.recordSuccess(a, { ...ZIP, bytes: 1 });
    expect([health.isSuspect(a, 'bulk'), health.of(a).brokeAfter]).toEqual([false, 0]);
  });

  it('an overtaken origin is suspect, and its breaker stays closed', () => {
    times(9, () => health.recordOvertaken(a, failure(TIMEOUT), 'bulk'));
    expect([health.isSuspect(a, 'bulk'), health.isSuspect(a, 'reach'), states()]).toEqual([
      true,
      false,
      'closed closed',
    ]);
  });

  it('a small file never closes the breaker, however long it is', () => {
    times(3, () => frozen());
    health.recordSuccess(a, { ...ZIP, lane: 'reach' });
    expect(states()).toBe('closed open');
  });
});

describe('latency and rate', () => {
  it('answers show the latency, failures do not', () => {
    times(5, () => health.recordSuccess(a, { ...MOD, headersMs: 80 }));
    times(5, () => health.recordFailure(a, failure(STATUS), { ...MOD, headersMs: 5_000 }));
    health.recordSuccess(a, { ...MOD, headersMs: undefined });
    expect(percentile(health.of(a).latency, 0.95)).toBeLessThan(100);
    expect(percentile(health.of(b).latency, 0.95)).toBeUndefined();
  });

  it('bodies of more than 32 KB show the rate, smoothed with a weight of 0.3', () => {
    const rates = [
      { bytes: 32 * KIB, bodyMs: 1 },
      { bytes: 100_000, bodyMs: 0 },
      { bytes: 100_000, bodyMs: 1_000 },
      { bytes: 200_000, bodyMs: 1_000 },
      { bytes: 10, bodyMs: 1_000 },
    ].map((body) => {
      health.recordSuccess(a, { ...ZIP, ...body });
      return Math.round(health.of(a).rate);
    });
    expect(rates).toEqual([0, 0, 100_000, 130_000, 130_000]);
  });
});

describe('counters', () => {
  it('count the failures of each origin, and keep the reason of the last', () => {
    unanswered();
    now += SECOND;
    health.recordFailure(a, failure({ kind: 'status', status: 502 }), MOD);
    health.counters(a).requests += 7;
    expect(health.counters(a)).toEqual({
      requests: 7,
      given: [],
      failures: 2,
      overtaken: 0,
      hedges: 0,
      resumed: 0,
      lastFailure: { reason: { kind: 'status', status: 502 }, at: now },
    });
    expect(health.counters(b)).toMatchObject({ requests: 0, failures: 0, lastFailure: undefined });
  });

  it('of changes count only suspicion and breakers that open or close', () => {
    const steps: [what: string, work: () => void, changes: number][] = [
      ['a success of a healthy origin', () => health.recordSuccess(a, MOD), 0],
      ['the first failure', unanswered, 1],
      ['the second', unanswered, 1],
      ['the third: open', unanswered, 2],
      ['one more while it is open', unanswered, 2],
      ['its time is over', () => void (now += 30 * SECOND), 2],
      ['a failed trial', unanswered, 3],
      ['a success', () => health.recordSuccess(a, MOD), 4],
      ['a zip that freezes', frozen, 5],
      ['a zip that comes', () => health.recordSuccess(a, ZIP), 6],
    ];
    const seen = steps.map(([what, work]) => {
      work();
      return [what, health.changes];
    });
    expect(seen).toEqual(steps.map(([what, , changes]) => [what, changes]));
  });
});

describe('the health that other isolates recorded', () => {
  it('replaces each breaker that saw a request later', () => {
    const other = freshRegistry();
    times(3, () => frozen());
    unanswered('reach', other);
    now += SECOND;
    health.recordSuccess(a, MOD);
    times(3, () => frozen(8 * KIB, other));
    health.merge(other.snapshot());
    // our reach, and their bulk with the place where it broke
    expect(health.of(a)).toMatchObject({
      reach: { failures: 0, at: now },
      bulk: { failures: 3, at: now, until: now + 30 * SECOND },
      brokeAfter: 24 * KIB,
    });
  });

  it('changes nothing when it is older or our own', () => {
    const other = freshRegistry();
    other.recordSuccess(a, ZIP);
    times(3, () => frozen(4 * KIB, other));
    times(3, () => unanswered('reach', other));
    times(9, () => other.recordSuccess(b, MOD));
    now += 1;
    frozen();
    health.recordSuccess(a, { ...ZIP, headersMs: 900, bytes: 1 });
    const ours = health.of(a);
    health.merge(other.snapshot());
    expect(health.of(a)).toEqual(ours);
    health.merge([...health.snapshot()]);
    expect(health.of(a)).toEqual(ours);
    expect(health.of(b)).toEqual(other.of(b)); // of which we knew nothing
  });

  it('replaces latency and rate with those of the later answer', () => {
    const other = freshRegistry();
    times(5, () => health.recordSuccess(a, { ...ZIP, headersMs: 80 }));
    now += 1;
    times(4, () => other.recordSuccess(a, { ...ZIP, headersMs: 900 }));
    health.merge(other.snapshot());
    expect(percentile(health.of(a).latency, 0.5)).toBeLessThan(100); // too few to forget ours for
    times(4, () =>
      other.recordSuccess(a, { ...ZIP, headersMs: 900, bytes: 100_000, bodyMs: 1_000 }),
    );
    now += 1;
    other.recordSuccess(a, MOD);
    health.merge(other.snapshot());
    expect(percentile(health.of(a).latency, 0.5)).toBeGreaterThan(700);
    expect(health.of(a).rate).toBe(other.of(a).rate);
  });

  it('is no change that is worth sharing again', () => {
    const other = freshRegistry();
    times(3, () => unanswered('reach', other));
    health.merge(other.snapshot());
    expect([states(), health.changes, health.counters(a).failures]).toEqual(['open open', 0, 0]);
  });

  it('is immutable for its readers', () => {
    const before = health.of(a);
    unanswered();
    expect([before.reach.failures, health.of(a).reach.failures]).toEqual([0, 1]);
  });
});

it.each<[number, BreakerState]>([
  [0, 'open'],
  [29_999, 'open'],
  [30_000, 'half-open'],
])('%d ms after three failures the breaker is %s, and tripped until a trial', (later, state) => {
  times(3, () => unanswered());
  now += later;
  expect([health.state(a, 'reach'), health.isTripped(a), health.isSuspect(a, 'reach')]).toEqual([
    state,
    true,
    true,
  ]);
});

function fail(count: number, origin = a, rest: Partial<Observation> = {}): void {
  failTimes(health, origin, count, { reason: { kind: 'timeout', ms: 10_000 }, ...rest });
}

/** Whether a trial without an outcome is claimed at each of these times, in seconds from now on. */
function claimedAt(
  seconds: readonly number[],
  claim = () => health.claimTrial(a, 'reach'),
): readonly boolean[] {
  const start = now;
  return seconds.map((second) => {
    now = start + second * SECOND;
    return claim();
  });
}

function confirms404(): boolean {
  return health.claim404Confirmation(a);
}

describe('the trial of a suspect origin', () => {
  it('is not claimed while it is healthy', () => {
    health.recordSuccess(a, MOD);
    expect(claimedAt([0, 5, 3600])).toEqual([false, false, false]);
  });

  it('is claimed 5 s after a failure while the breaker is closed', () => {
    fail(2);
    expect(claimedAt([0, 4.999, 5])).toEqual([false, false, true]);
  });

  it('is claimed at the end of its time when the breaker is open', () => {
    fail(3);
    expect(claimedAt([5, 29.999, 30])).toEqual([false, false, true]);
  });

  it('is claimed by one request at a time, and by another one when it has no outcome after 10 s', () => {
    fail(3);
    expect(claimedAt([30, 30, 39.999, 40, 40, 49.999, 50])).toEqual([
      true,
      false,
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  it('concerns that origin alone', () => {
    fail(1);
    fail(1, b);
    now += 5 * SECOND;
    expect([a, b, a, b].map((origin) => health.claimTrial(origin, 'reach'))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('that fails is followed by the next when that one is due, and not before', () => {
    fail(3);
    expect(claimedAt([30])).toEqual([true]);
    fail(1);
    expect(claimedAt([15, 59.999, 60])).toEqual([false, false, true]);
  });

  it('that fails while the breaker is closed is followed by the next in 5 s', () => {
    fail(1);
    expect(claimedAt([5])).toEqual([true]);
    fail(1);
    expect(claimedAt([4.999, 5])).toEqual([false, true]);
  });

  it('that succeeds is the last, until the origin fails again', () => {
    fail(1);
    expect(claimedAt([5])).toEqual([true]);
    health.recordSuccess(a, MOD);
    expect(claimedAt([0, 1])).toEqual([false, false]);
    fail(1);
    expect(claimedAt([4.999, 5])).toEqual([false, true]);
  });

  it('for zips is not claimed for small files', () => {
    fail(3, a, { lane: 'bulk', headersMs: 80, bytes: 16_384 });
    now += 30 * SECOND;
    expect([health.claimTrial(a, 'reach'), health.claimTrial(a, 'bulk')]).toEqual([false, true]);
  });
});

describe('the request to an open origin before a file is called missing', () => {
  it('is claimed 2 s after its last failure', () => {
    fail(3);
    expect(claimedAt([0, 1.999, 2], confirms404)).toEqual([false, false, true]);
  });

  it('is claimed again 2 s after it failed once more', () => {
    fail(3);
    expect(claimedAt([2], confirms404)).toEqual([true]);
    fail(1);
    expect(claimedAt([0, 1.999, 2], confirms404)).toEqual([false, false, true]);
  });

  it('and the trial are not claimed at the same time', () => {
    fail(3);
    expect(claimedAt([29], confirms404)).toEqual([true]);
    expect(claimedAt([1, 9.999, 10])).toEqual([false, false, true]);
    expect(confirms404()).toBe(false);
  });
});

describe('a trial of an origin whose zips froze after 16 KiB', () => {
  beforeEach(() => {
    fail(3, a, { lane: 'bulk', headersMs: 80, bytes: 16 * 1024 });
    now += 30 * SECOND;
    health.claimTrial(a, 'bulk');
  });

  it.each<[string, Observation]>([
    ['a small file that comes meanwhile', { lane: 'reach', headersMs: 80, bytes: 500 }],
    ['a zip that is too small', { lane: 'bulk', headersMs: 80, bytes: 9 * 1024 }],
  ])('is not repeated by the next request after %s', (_, observation) => {
    health.recordSuccess(a, observation);
    expect(health.claimTrial(a, 'bulk')).toBe(false);
  });

  it('is not repeated at once when it failed before its body', () => {
    health.recordFailure(a, failure(STATUS), { lane: 'bulk', bytes: 0 });
    expect(health.claimTrial(a, 'bulk')).toBe(false);
  });
});
