import { beforeEach, describe, expect, it } from 'vitest';
import { originOf } from '../../../test/fakes/effects/fetch.ts';
import type { BreakerState } from './breaker.ts';
import { percentile } from './latency.ts';
import type { Failure } from '../origin.ts';
import { type Observation, Pool } from './pool.ts';

const SECOND = 1_000;
const KIB = 1024;
const a = originOf('a');
const b = originOf('b');

let now: number;
let pool: Pool;
beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
  pool = freshPool();
});

/** A pool on the same clock, with dice that show the middle. */
function freshPool(): Pool {
  return new Pool({ clock: { now: () => now }, random: () => 0.5 });
}

function failure(cause: Failure['cause'], rest: Partial<Failure> = {}): Failure {
  return { origin: 'a', cause, text: `it was ${cause}`, ...rest };
}

const MOD: Observation = { isZip: false, headersAfter: 80, bytes: 500, bodyMs: 1 };
const ZIP: Observation = { isZip: true, headersAfter: 80, bytes: 200 * KIB, bodyMs: 100 };

/** The body of a zip that stalls after so many bytes. */
function frozen(bytes = 16 * KIB, where = pool): void {
  where.failed(a, failure('timeout'), { ...ZIP, bytes });
}

/** No headers came. */
function unheard(isZip = false, where = pool): void {
  where.failed(a, failure('timeout'), { isZip, headersAfter: undefined, bytes: 0 });
}

function times(count: number, work: () => void): void {
  for (let at = 0; at < count; at++) work();
}

/** States for a small file and for a zip. */
const states = (origin = a, where = pool) =>
  [false, true].map((isZip) => where.state(origin, isZip)).join(' ');

describe('answers and bodies of zips are judged apart', () => {
  it('of an origin that nobody asked everything is well', () => {
    expect([
      states(),
      pool.isUnwell(a, false),
      pool.isUnwell(a, true),
      pool.isOut(a, true),
    ]).toEqual(['closed closed', false, false, false]);
  });

  type Case = [what: string, failure: Failure, observation: Observation, states: string];
  it.each<Case>([
    [
      'zips that freeze after 16 KB',
      failure('timeout'),
      { ...ZIP, bytes: 16 * KIB },
      'closed open',
    ],
    ['zips that break off', failure('unreachable'), ZIP, 'closed open'],
    ['zips without headers', failure('timeout'), { isZip: true, bytes: 0 }, 'open open'],
    ['zips without a connection', failure('unreachable'), { isZip: true, bytes: 0 }, 'open open'],
    ['zips with status 500', failure('status'), { ...ZIP, bytes: 0 }, 'open open'],
    ['zips with status 503', failure('overloaded'), { ...ZIP, bytes: 0 }, 'open open'],
    ['pages for zips', failure('answer'), ZIP, 'open open'],
    ['zips with a wrong hash', failure('mismatch'), ZIP, 'open open'],
    ['small files that freeze', failure('timeout'), MOD, 'open open'],
    [
      'small files that never come',
      failure('unreachable'),
      { isZip: false, bytes: 0 },
      'open open',
    ],
  ])('three %s: %j', (_, why, observation, expected) => {
    times(3, () => pool.failed(a, why, observation));
    expect(states()).toBe(expected);
    expect(states(b)).toBe('closed closed');
  });

  it('small files that come do not close the breaker of zips that freeze', () => {
    times(3, frozen);
    times(50, () => pool.succeeded(a, MOD));
    expect(states()).toBe('closed open');
  });

  it('for a zip the worse one of both counts', () => {
    const seen: [number, number][] = [];
    const look = () => seen.push([pool.breaker(a, true).failures, pool.breaker(a, false).failures]);
    frozen();
    look();
    times(2, unheard);
    look();
    // bulk is open for 30 s, reach is not, whatever its failures
    times(2, frozen);
    look();
    // both are open, reach for longer
    now += SECOND;
    unheard();
    look();
    expect(seen).toEqual([
      [1, 0],
      [2, 2],
      [3, 2],
      [3, 3],
    ]);
    expect(pool.breaker(a, true)).toBe(pool.health(a).reach);
  });

  it('an open one is worse than one with more failures', () => {
    times(2, frozen);
    pool.failed(a, failure('overloaded', { retryAfter: 90 }), { ...MOD, bytes: 0 });
    expect([states(), pool.breaker(a, true).failures]).toEqual(['open open', 1]);
  });

  it('a Retry-After opens at once what it was about', () => {
    pool.failed(a, failure('overloaded', { retryAfter: 90 }), { ...MOD, bytes: 0 });
    expect([states(), pool.health(a).reach.until]).toEqual(['open open', now + 90 * SECOND]);
  });
});

describe('what shows that long bodies come through', () => {
  it.each([
    // more has to come than came, and than a read may have had that was not completed
    [0, 16 * KIB, 'open'],
    [0, 16 * KIB + 1, 'closed'],
    [16 * KIB, 32 * KIB, 'open'],
    [16 * KIB, 32 * KIB + 1, 'closed'],
    [900 * KIB, 916 * KIB, 'open'],
    [900 * KIB, 916 * KIB + 1, 'closed'],
    // but 4 MB show that a connection lets through what it is given
    [900 * 1024 * KIB, 4 * 1024 * KIB, 'open'],
    [900 * 1024 * KIB, 4 * 1024 * KIB + 1, 'closed'],
  ])('after zips that broke after %d bytes one of %d leaves it %s', (broke, bytes, state) => {
    times(3, () => frozen(broke));
    pool.succeeded(a, { ...ZIP, bytes });
    expect(states()).toBe(`closed ${state}`);
  });

  it('the last break is the one to pass', () => {
    frozen(20 * KIB);
    frozen(4 * KIB);
    expect(pool.health(a).brokeAfter).toBe(20 * KIB);
    pool.succeeded(a, { ...ZIP, bytes: 21 * KIB });
    expect(pool.isUnwell(a, true)).toBe(false);
  });

  it('where the connection broke instead of standing still, a longer body shows that it is over', () => {
    pool.failed(a, failure('unreachable'), { ...ZIP, bytes: 0 });
    pool.succeeded(a, { ...ZIP, bytes: 1 });
    expect([pool.isUnwell(a, true), pool.health(a).brokeAfter]).toEqual([false, 0]);
  });

  it('one that was beaten is asked after the others, and never open for that', () => {
    times(9, () => pool.lost(a, failure('timeout'), true));
    expect([pool.isUnwell(a, true), pool.isUnwell(a, false), states()]).toEqual([
      true,
      false,
      'closed closed',
    ]);
  });

  it('a small file never does, however long it is', () => {
    times(3, frozen);
    pool.succeeded(a, { ...ZIP, isZip: false });
    expect(states()).toBe('closed open');
  });
});

describe('latency and rate', () => {
  it('answers tell the latency, failures do not', () => {
    times(5, () => pool.succeeded(a, { ...MOD, headersAfter: 80 }));
    times(5, () => pool.failed(a, failure('status'), { ...MOD, headersAfter: 5_000 }));
    pool.succeeded(a, { ...MOD, headersAfter: undefined });
    expect(percentile(pool.health(a).latency, 0.95)).toBeLessThan(100);
    expect(percentile(pool.health(b).latency, 0.95)).toBeUndefined();
  });

  it('bodies of more than 32 KB tell the rate, a third of it the newest', () => {
    const rates = [
      { bytes: 32 * KIB, bodyMs: 1 },
      { bytes: 100_000, bodyMs: 0 },
      { bytes: 100_000, bodyMs: 1_000 },
      { bytes: 200_000, bodyMs: 1_000 },
      { bytes: 10, bodyMs: 1_000 },
    ].map((body) => {
      pool.succeeded(a, { ...ZIP, ...body });
      return Math.round(pool.health(a).rate);
    });
    expect(rates).toEqual([0, 0, 100_000, 130_000, 130_000]);
  });
});

describe('counters', () => {
  it('count the failures of each origin, and keep the text of the last', () => {
    unheard();
    now += SECOND;
    pool.failed(a, failure('status', { text: 'status 502' }), MOD);
    pool.counters(a).asked += 7;
    expect(pool.counters(a)).toEqual({
      asked: 7,
      failed: 2,
      lost: 0,
      hedges: 0,
      resumed: 0,
      lastFailure: { text: 'status 502', at: now },
    });
    expect(pool.counters(b)).toMatchObject({ asked: 0, failed: 0, lastFailure: undefined });
  });

  it('changes are warnings and openings that come and go, and nothing else', () => {
    const steps: [what: string, work: () => void, changes: number][] = [
      ['a success of who is well', () => pool.succeeded(a, MOD), 0],
      ['the first failure', unheard, 1],
      ['the second', unheard, 1],
      ['the third: open', unheard, 2],
      ['one more while it is open', unheard, 2],
      ['its time is over', () => void (now += 30 * SECOND), 2],
      ['a failed trial', unheard, 3],
      ['a success', () => pool.succeeded(a, MOD), 4],
      ['a zip that freezes', frozen, 5],
      ['a zip that comes', () => pool.succeeded(a, ZIP), 6],
    ];
    const seen = steps.map(([what, work]) => {
      work();
      return [what, pool.changes];
    });
    expect(seen).toEqual(steps.map(([what, , changes]) => [what, changes]));
  });
});

describe('what other isolates know', () => {
  it('of each breaker the one that saw something last is taken', () => {
    const other = freshPool();
    times(3, frozen);
    unheard(false, other);
    now += SECOND;
    pool.succeeded(a, MOD);
    times(3, () => frozen(8 * KIB, other));
    pool.merge(other.snapshot());
    // our reach, and their bulk with the place where it broke
    expect(pool.health(a)).toMatchObject({
      reach: { failures: 0, at: now },
      bulk: { failures: 3, at: now, until: now + 30 * SECOND },
      brokeAfter: 24 * KIB,
    });
  });

  it('older news change nothing, nor does what we said ourselves', () => {
    const other = freshPool();
    other.succeeded(a, ZIP);
    times(3, () => frozen(4 * KIB, other));
    times(3, () => unheard(false, other));
    times(9, () => other.succeeded(b, MOD));
    now += 1;
    frozen();
    pool.succeeded(a, { ...ZIP, headersAfter: 900, bytes: 1 });
    const ours = pool.health(a);
    pool.merge(other.snapshot());
    expect(pool.health(a)).toEqual(ours);
    pool.merge([...pool.snapshot()]);
    expect(pool.health(a)).toEqual(ours);
    expect(pool.health(b)).toEqual(other.health(b)); // of which we knew nothing
  });

  it('latency and rate come with the newer answer', () => {
    const other = freshPool();
    times(5, () => pool.succeeded(a, { ...ZIP, headersAfter: 80 }));
    now += 1;
    times(4, () => other.succeeded(a, { ...ZIP, headersAfter: 900 }));
    pool.merge(other.snapshot());
    expect(percentile(pool.health(a).latency, 0.5)).toBeLessThan(100); // too few to forget ours for
    times(4, () =>
      other.succeeded(a, { ...ZIP, headersAfter: 900, bytes: 100_000, bodyMs: 1_000 }),
    );
    now += 1;
    other.succeeded(a, MOD);
    pool.merge(other.snapshot());
    expect(percentile(pool.health(a).latency, 0.5)).toBeGreaterThan(700);
    expect(pool.health(a).rate).toBe(other.health(a).rate);
  });

  it('they are no change to be told again', () => {
    const other = freshPool();
    times(3, () => unheard(false, other));
    pool.merge(other.snapshot());
    expect([states(), pool.changes, pool.counters(a).failed]).toEqual(['open open', 0, 0]);
  });

  it('what it hands out does not change under who reads it', () => {
    const before = pool.health(a);
    unheard();
    expect([before.reach.failures, pool.health(a).reach.failures]).toEqual([0, 1]);
  });
});

it.each<[number, BreakerState]>([
  [0, 'open'],
  [29_999, 'open'],
  [30_000, 'half-open'],
])('%d ms after three failures it is %s, and out until a trial', (later, state) => {
  times(3, unheard);
  now += later;
  expect([pool.state(a, false), pool.isOut(a, false), pool.isUnwell(a, false)]).toEqual([
    state,
    true,
    true,
  ]);
});
