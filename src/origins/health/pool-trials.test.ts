import { beforeEach, describe, expect, it } from 'vitest';
import { originOf } from '../../../test/fakes/effects/fetch.ts';
import { type Observation, Pool } from './pool.ts';

const SECOND = 1_000;
const a = originOf('a');
const b = originOf('b');
const MOD: Observation = { isZip: false, headersAfter: 80, bytes: 500, bodyMs: 1 };

let now: number;
let pool: Pool;
beforeEach(() => {
  now = Date.UTC(2026, 0, 1);
  pool = new Pool({ clock: { now: () => now }, random: () => 0.5 });
});

function fail(count: number, origin = a, rest: Partial<Observation> = {}): void {
  for (let at = 0; at < count; at++) {
    const observation = { isZip: false, bytes: 0, ...rest };
    pool.failed(origin, { origin: origin.name, cause: 'timeout', text: 'no answer' }, observation);
  }
}

/**
 * Whether a trial is given at each of these times, in seconds from now on, to one who never
 * concludes it.
 */
function takenAt(
  seconds: readonly number[],
  take = () => pool.takeTrial(a, false),
): readonly boolean[] {
  const start = now;
  return seconds.map((second) => {
    now = start + second * SECOND;
    return take();
  });
}

function lastWord(): boolean {
  return pool.takeLastWord(a, false);
}

describe('the trial of an unwell origin', () => {
  it('is given to nobody while it is well', () => {
    pool.succeeded(a, MOD);
    expect(takenAt([0, 5, 3600])).toEqual([false, false, false]);
  });

  it('is given 5 s after a failure while it is closed', () => {
    fail(2);
    expect(takenAt([0, 4.999, 5])).toEqual([false, false, true]);
  });

  it('is given at the end of its time when it is open', () => {
    fail(3);
    expect(takenAt([5, 29.999, 30])).toEqual([false, false, true]);
  });

  it('is given to one at a time, and to another one when nothing was heard for 10 s', () => {
    fail(3);
    expect(takenAt([30, 30, 39.999, 40, 40, 49.999, 50])).toEqual([
      true,
      false,
      false,
      true,
      false,
      false,
      true,
    ]);
  });

  it('is of that origin alone', () => {
    fail(1);
    fail(1, b);
    now += 5 * SECOND;
    expect([a, b, a, b].map((origin) => pool.takeTrial(origin, false))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('that fails is followed by the next when that one is due, and not before', () => {
    fail(3);
    expect(takenAt([30])).toEqual([true]);
    fail(1);
    expect(takenAt([15, 59.999, 60])).toEqual([false, false, true]);
  });

  it('that fails while it is closed is followed by the next in 5 s, though it began less than 10 s ago', () => {
    fail(1);
    expect(takenAt([5])).toEqual([true]);
    fail(1);
    expect(takenAt([4.999, 5])).toEqual([false, true]);
  });

  it('that goes well is the last, until it fails again', () => {
    fail(1);
    expect(takenAt([5])).toEqual([true]);
    pool.succeeded(a, MOD);
    expect(takenAt([0, 1])).toEqual([false, false]);
    fail(1);
    expect(takenAt([4.999, 5])).toEqual([false, true]);
  });

  it('of zips alone is not given for small files', () => {
    fail(3, a, { isZip: true, headersAfter: 80, bytes: 16_384 });
    now += 30 * SECOND;
    expect([pool.takeTrial(a, false), pool.takeTrial(a, true)]).toEqual([false, true]);
  });
});

describe('the last word of an open origin', () => {
  it('is asked for 2 s after its last failure, also while it is open', () => {
    fail(3);
    expect(takenAt([0, 1.999, 2], lastWord)).toEqual([false, false, true]);
  });

  it('is asked for again 2 s after it failed once more', () => {
    fail(3);
    expect(takenAt([2], lastWord)).toEqual([true]);
    fail(1);
    expect(takenAt([0, 1.999, 2], lastWord)).toEqual([false, false, true]);
  });

  it('and the trial are not asked for at the same time', () => {
    fail(3);
    expect(takenAt([29], lastWord)).toEqual([true]);
    expect(takenAt([1, 9.999, 10])).toEqual([false, false, true]);
    expect(lastWord()).toBe(false);
  });
});

describe('a trial of zips, which froze after 16 KiB,', () => {
  beforeEach(() => {
    fail(3, a, { isZip: true, headersAfter: 80, bytes: 16 * 1024 });
    now += 30 * SECOND;
    pool.takeTrial(a, true);
  });

  it.each([
    ['a small file that comes meanwhile', { isZip: false, headersAfter: 80, bytes: 500 }],
    ['a zip that is too small to tell', { isZip: true, headersAfter: 80, bytes: 9 * 1024 }],
  ])('is not repeated by the next request after %s', (_, observation) => {
    pool.succeeded(a, observation);
    expect(pool.takeTrial(a, true)).toBe(false);
  });

  it('is not repeated at once when it failed before its body', () => {
    pool.failed(a, { origin: 'a', cause: 'status', text: 'status 500' }, { isZip: true, bytes: 0 });
    expect(pool.takeTrial(a, true)).toBe(false);
  });
});
