import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../test/fakes/effects/seeded-random.ts';
import {
  afterFailure,
  afterSuccess,
  type Breaker,
  CLOSED,
  isSuspect,
  stateOf,
  trialDueAt,
} from './breaker.ts';

const START = Date.UTC(2026, 0, 1);
const SECOND = 1_000;
const MINUTE = 60_000;

/** A failure at `now`, with a random number that means no jitter. */
function failed(breaker: Breaker, now: number, retryAfterSeconds?: number): Breaker {
  return afterFailure(breaker, { now, random: 0.5, retryAfterSeconds });
}

/** The breaker after requests at `now` that `s`ucceeded or `f`ailed. */
function after(requests: string, now = START, breaker = CLOSED): Breaker {
  return Array.from(requests).reduce(
    (b, one) => (one === 's' ? afterSuccess(b, now) : failed(b, now)),
    breaker,
  );
}

/** Seconds that it is open from `now` on. */
const openFor = ({ until }: Breaker, now = START) => (until - now) / SECOND;

/** Whether a hundred good and bad answers in turn, so many seconds apart, open it. */
function opensByAlternation(seconds: number): boolean {
  let breaker = CLOSED;
  for (let at = 0; at < 100; at++) {
    breaker = after(at % 2 === 0 ? 's' : 'f', START + at * seconds * SECOND, breaker);
    if (breaker.until > 0) return true;
  }
  return false;
}

describe('a closed breaker', () => {
  it.each([
    ['', 'closed'],
    ['f', 'closed'],
    ['ff', 'closed'],
    ['fff', 'open'],
    ['ffs', 'closed'],
    ['ffsff', 'closed'],
    ['ffsfff', 'open'],
    // in a long run of good ones three in a row are enough
    [`${'s'.repeat(100)}fff`, 'open'],
    // half of the recent ones, once there are eight of them
    ['sfsfsfs', 'closed'],
    ['sfsfsfsf', 'open'],
    ['ffsffsf', 'closed'],
    ['ffsffsff', 'open'],
    ['sssfsfsf', 'closed'],
    ['ssf'.repeat(30), 'closed'],
    ['ssff'.repeat(2), 'open'],
  ])('is after the requests %j %s', (requests, state) => {
    expect(stateOf(after(requests), START)).toBe(state);
  });

  it('opens by alternating outcomes only when they are frequent, as a failure counts half after 30 s', () => {
    // Weights of 2^(-t/30): 4 s apart they add up to more than eight, 6 s apart they never do.
    expect([1, 4, 6, 60].map(opensByAlternation)).toEqual([true, true, false, false]);
  });

  it('hardly counts failures of a minute ago', () => {
    const before = after('ffsffsf');
    expect(stateOf(after('sssf', START, before), START)).toBe('open');
    expect(stateOf(after('sssf', START + MINUTE, before), START + MINUTE)).toBe('closed');
  });

  it('does not count old failures more when the clock was set back', () => {
    expect(after('s', START - MINUTE, after('f')).recent).toEqual({ succeeded: 1, failed: 1 });
  });
});

describe('an open breaker', () => {
  it.each([
    [0, 27],
    [0.25, 28.5],
    [0.5, 30],
    [0.75, 31.5],
    [1, 33],
  ])('stays open with the random number %d for %d s', (random, seconds) => {
    expect(openFor(afterFailure(after('ff'), { now: START, random }))).toBe(seconds);
  });

  it('is half-open at the end of its time', () => {
    const breaker = after('fff');
    const at = [0, 29_999, 30_000, 24 * 60 * MINUTE].map((ms) => stateOf(breaker, START + ms));
    expect(at).toEqual(['open', 'open', 'half-open', 'half-open']);
  });

  it('stays open twice as long after each failed trial, up to five minutes', () => {
    let breaker = after('fff');
    const times = [openFor(breaker)];
    for (let trial = 0; trial < 2000; trial++) {
      const now = breaker.until;
      breaker = failed(breaker, now);
      times.push(openFor(breaker, now));
    }
    expect(times.slice(0, 7)).toEqual([30, 60, 120, 240, 300, 300, 300]);
    expect(times.at(-1)).toBe(300);
  });

  it('has jitter also at the longest time', () => {
    let breaker = after('fff');
    for (let trial = 0; trial < 5; trial++) breaker = failed(breaker, breaker.until);
    const times = [0, 1].map((random) =>
      openFor(afterFailure(breaker, { now: breaker.until, random }), breaker.until),
    );
    expect(times).toEqual([270, 330]);
  });

  it('does not stay open longer after a failure meanwhile', () => {
    const open = after('fff');
    const asked = after('fffff', START + 20 * SECOND, open);
    expect([asked.until, asked.openings, asked.failures]).toEqual([open.until, 1, 8]);
    // and the trial after it doubles once
    expect(openFor(failed(asked, open.until), open.until)).toBe(60);
  });
});

describe('a success', () => {
  it.each([
    ['the trial of a half-open one', 30 * SECOND],
    ['the late answer to a request from before', 1 * SECOND],
  ])('%s closes it and clears its failures', (_, later) => {
    const now = START + later;
    const closed = after('s', now, after('fff'));
    expect(stateOf(closed, now)).toBe('closed');
    expect(closed).toMatchObject({
      failures: 0,
      recent: { succeeded: 1, failed: 0 },
      closedAt: now,
      at: now,
    });
    expect(stateOf(after('ff', now, closed), now)).toBe('closed');
  });

  it('does not reset the doubling for the next five minutes', () => {
    let breaker = CLOSED;
    let now = START;
    const times: number[] = [];
    for (let turn = 0; turn < 6; turn++) {
      breaker = after('fff', now, breaker);
      times.push(openFor(breaker, now));
      breaker = after('s', breaker.until, breaker);
      now = breaker.at + 5 * MINUTE - 1;
    }
    expect(times).toEqual([30, 60, 120, 240, 300, 300]);
  });

  it.each([
    [5 * MINUTE - 1, 120],
    [5 * MINUTE, 30],
    [24 * 60 * MINUTE, 30],
  ])('is followed %d ms later by an opening of %d s', (quiet, seconds) => {
    const open = after('f', START + 30 * SECOND, after('fff'));
    const closed = after('s', open.until, open);
    const now = open.until + quiet;
    // what goes well or fails in between does not put off the end of the quiet time
    const opened = after('fff', now, after('fs', open.until + MINUTE, closed));
    expect(openFor(opened, now)).toBe(seconds);
    const again = failed(opened, opened.until);
    expect(openFor(again, opened.until)).toBe(Math.min(seconds * 2, 300));
  });
});

describe('Retry-After', () => {
  it.each([
    ['', 1, 1],
    ['', 120, 120],
    ['', 3600, 3600],
    ['', 86_400, 3600],
    ['ff', 0, 30],
    // the longer one of it and the backoff
    ['ff', 10, 30],
    ['ff', 31, 31],
    ['fff', 10, 30],
    ['fff', 45, 45],
    ['fff', 86_400, 3600],
  ])(
    'after the requests %j with a failure of %d s opens it for %d s',
    (requests, retryAfterSeconds, seconds) => {
      const breaker = failed(after(requests), START, retryAfterSeconds);
      expect(openFor(breaker)).toBe(seconds);
    },
  );

  it('of 0 is ignored', () => {
    expect(failed(CLOSED, START, 0)).toEqual(after('f'));
  });

  it('ends after its time, and a failed trial then counts as the first opening', () => {
    const breaker = failed(CLOSED, START, 7);
    const now = START + 7 * SECOND;
    expect([stateOf(breaker, now - 1), stateOf(breaker, now)]).toEqual(['open', 'half-open']);
    expect(openFor(failed(breaker, now), now)).toBe(30);
  });
});

describe('an origin', () => {
  it.each([
    ['', false],
    ['s', false],
    ['f', true],
    ['fs', false],
    ['fff', true],
    ['fffs', false],
  ])('is suspect after the requests %j: %s', (requests, suspect) => {
    expect(isSuspect(after(requests))).toBe(suspect);
  });

  it('stays suspect when its breaker is half-open, until a trial succeeds', () => {
    expect(stateOf(after('fff'), START + MINUTE)).toBe('half-open');
    expect(isSuspect(after('fff'))).toBe(true);
  });

  it('may be tried 5 s after its last failure, or at the end of the time of its open breaker', () => {
    const suspect = after('f', START + MINUTE, after('f'));
    expect(trialDueAt(suspect)).toBe(START + MINUTE + 5 * SECOND);
    expect(trialDueAt(after('fff'))).toBe(START + 30 * SECOND);
    expect(trialDueAt(failed(CLOSED, START, 90))).toBe(START + 90 * SECOND);
  });
});

interface Event {
  readonly at: number;
  readonly ok: boolean;
}

/** Whether a closed one has to open, from all that happened since it was closed. */
function hasToOpen(events: readonly Event[], now: number): boolean {
  const weigh = (list: readonly Event[]) =>
    list.reduce((sum, { at }) => sum + 2 ** ((at - now) / 30_000), 0);
  const bad = weigh(events.filter(({ ok }) => !ok));
  const lastThree = events.slice(-3);
  const isThird = lastThree.length === 3 && !lastThree.some(({ ok }) => ok);
  return isThird || (weigh(events) >= 8 && bad >= weigh(events) / 2);
}

/** Milliseconds for which it has to be open after a failure at `now`, at least and at most. */
function limits(
  before: Breaker,
  now: number,
  { mustOpen, asked }: { mustOpen: boolean; asked: number },
) {
  const state = stateOf(before, now);
  if (state === 'open')
    return [before.until - now, before.until - now].map((ms) => Math.max(ms, asked));
  if (state === 'closed' && !mustOpen) return [asked, asked];
  return [27 * SECOND, 330 * SECOND].map((ms) => Math.max(ms, asked));
}

it.each([1, 2, 3, 4, 5, 6, 7, 8])(
  'random walk %d: the breaker follows its history, within its limits',
  (seed) => {
    const dice = seededRandom(seed);
    const share = seed / 12;
    const visited = new Set<string>();
    let breaker = CLOSED;
    let now = START;
    let history: Event[] = [];
    let inARow = 0;
    for (let step = 0; step < 2000; step++) {
      now += dice.pick([1, 100, 3 * SECOND, 20 * SECOND, dice.below(7 * MINUTE)]);
      const before = breaker;
      const state = stateOf(before, now);
      const ok = dice.next() < share;
      const retryAfterSeconds = dice.below(20) === 0 ? dice.below(10_000) : 0;
      visited.add(`${state} ${ok}`);
      // A success that closes it is the start of a new record.
      history = [...(ok && state !== 'closed' ? [] : history.slice(-200)), { at: now, ok }];
      inARow = ok ? 0 : inARow + 1;
      breaker = ok
        ? afterSuccess(before, now)
        : afterFailure(before, {
            now,
            random: dice.next(),
            retryAfterSeconds,
          });

      const asked = Math.min(retryAfterSeconds, 3600) * SECOND;
      const [from = 0, to = 0] = ok
        ? [0, 0]
        : limits(before, now, { mustOpen: hasToOpen(history, now), asked });
      const open = breaker.until === 0 ? 0 : breaker.until - now;
      expect(open).toBeGreaterThanOrEqual(from);
      expect(open).toBeLessThanOrEqual(to);
      expect([breaker.failures, breaker.at, isSuspect(breaker)]).toEqual([inARow, now, !ok]);
    }
    expect(visited.size).toBe(6);
  },
);

it('an opening by Retry-After after a quiet day counts as the first one', () => {
  let breaker = CLOSED;
  let now = Date.UTC(2026, 0, 1);
  const fail = (retryAfterSeconds = 0) =>
    (breaker = afterFailure(breaker, { now, random: 0.5, retryAfterSeconds }));
  for (let at = 0; at < 3; at++) fail();
  for (let at = 0; at < 4; at++) {
    now = breaker.until;
    fail();
  }
  now = breaker.until;
  breaker = afterSuccess(breaker, now);
  now += 24 * 3_600_000;
  fail(1);
  now = breaker.until;
  fail();
  expect(breaker.until - now).toBe(30_000);
});

it('an open time further away than the longest one was set before the clock stepped back, and is over', () => {
  const now = Date.UTC(2026, 0, 1);
  const open = afterFailure(CLOSED, { now, random: 0.5, retryAfterSeconds: 3600 });
  expect(stateOf(open, now)).toBe('open');
  expect(stateOf(open, now - 60_000)).toBe('open'); // clocks of isolates differ
  expect(stateOf(open, now - 60_001)).toBe('half-open');
});
