import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../test/fakes/effects/seeded-random.ts';
import { type Latency, observe, percentile, UNKNOWN } from './latency.ts';

/** The histogram after `count` observations of `ms` milliseconds. */
function after(count: number, ms: number, latency: Latency = UNKNOWN): Latency {
  let known = latency;
  for (let at = 0; at < count; at++) known = observe(known, ms);
  return known;
}

/** The width of a bucket. */
const WIDTH = 1.25;

function near(expected: number): (found: number | undefined) => boolean {
  return (found = 0) => found >= expected / WIDTH && found <= expected * WIDTH;
}

function weightOf(latency: Latency): number {
  return latency.reduce((sum, count) => sum + count, 0);
}

describe('percentiles', () => {
  it.each([
    ['always 7 ms', () => 7],
    ['always 130 ms', () => 130],
    ['always 1.9 s', () => 1_900],
    ['always 15 s', () => 15_000],
    ['100 to 1100 ms, evenly', (share: number) => 100 + 1_000 * share],
    ['20 to 4000 ms, evenly', (share: number) => 20 + 3_980 * share],
    ['50 ms, one in five 800 ms', (share: number) => (share < 0.8 ? 50 : 800)],
    ['90 ms and a long tail', (share: number) => 90 - 200 * Math.log(1 - share)],
  ])('of %s are right within the width of a bucket', (_, quantile) => {
    let latency = UNKNOWN;
    // Steps of the golden ratio: any few of them in a row are spread evenly.
    for (let at = 1; at <= 500; at++) latency = observe(latency, quantile((at * 0.618034) % 1));
    for (const share of [0.5, 0.7, 0.9, 0.95])
      expect(percentile(latency, share)).toSatisfy(near(quantile(share)));
  });

  it('a larger share has no smaller percentile', () => {
    const dice = seededRandom(1);
    let latency = UNKNOWN;
    for (let at = 0; at < 300; at++) {
      latency = observe(latency, dice.next() * 5_000);
      if (at < 2) continue;
      const found = [0.05, 0.25, 0.5, 0.75, 0.95].map(
        (share) => percentile(latency, share) ?? Number.NaN,
      );
      expect(found).toEqual(found.toSorted((a, b) => a - b));
    }
  });

  it('one slow answer in forty does not move the 95th, and three do', () => {
    const usual = after(100, 100);
    expect(percentile(after(20, 100, after(1, 5_000, after(20, 100, usual))), 0.95)).toSatisfy(
      near(100),
    );
    expect(percentile(after(10, 100, after(3, 5_000, usual)), 0.95)).toSatisfy(near(5_000));
  });
});

describe('recent answers count more', () => {
  it('so a slower origin is slow after two answers in the 95th percentile and after forty in the median', () => {
    const fast = after(500, 100);
    expect(percentile(after(2, 1_000, fast), 0.95)).toSatisfy(near(1_000));
    expect(percentile(after(10, 1_000, fast), 0.5)).toSatisfy(near(100));
    expect(percentile(after(40, 1_000, fast), 0.5)).toSatisfy(near(1_000));
  });

  it('so a faster origin is fast after forty answers in the median and a hundred in the 95th percentile', () => {
    const slow = after(500, 1_000);
    expect(percentile(after(40, 100, slow), 0.5)).toSatisfy(near(100));
    expect(percentile(after(40, 100, slow), 0.95)).toSatisfy(near(1_000));
    expect(percentile(after(100, 100, slow), 0.95)).toSatisfy(near(100));
  });

  it('so a thousand old answers weigh no more than a hundred', () => {
    expect(weightOf(after(1_000, 100))).toBeCloseTo(weightOf(after(300, 100)), 0);
    expect(weightOf(after(1_000, 100))).toBeLessThan(34);
  });
});

describe('limits', () => {
  it.each([
    [0, undefined],
    [1, undefined],
    [2, undefined],
    [3, 'known'],
    [4, 'known'],
  ])('after %d answers the percentile is %s', (count, known) => {
    const found = percentile(after(count, 100), 0.95);
    expect(found === undefined ? undefined : 'known').toBe(known);
  });

  it.each([
    [0, 0, 5],
    [0.2, 0, 5],
    [5, 0, 5],
    [20_000, 15_000, 20_000],
    [3_600_000, 15_000, 20_000],
    [Number.MAX_SAFE_INTEGER, 15_000, 20_000],
  ])('answers after %d ms are counted as %d to %d ms', (ms, from, to) => {
    for (const share of [0, 0.5, 0.95, 1]) {
      const found = percentile(after(10, ms), share);
      expect(found).toBeGreaterThanOrEqual(from);
      expect(found).toBeLessThanOrEqual(to);
    }
  });

  it('the histogram stays within a few hundred bytes', () => {
    const dice = seededRandom(2);
    let latency = UNKNOWN;
    let longest = 0;
    for (let at = 0; at < 3_000; at++) {
      latency = observe(latency, 2 ** (dice.next() * 24 - 2));
      longest = Math.max(longest, JSON.stringify(latency).length);
    }
    expect(latency.length).toBeLessThanOrEqual(38);
    expect(longest).toBeLessThan(300);
  });

  it('an observation does not change the earlier histogram', () => {
    const before = after(3, 100);
    const copy = [...before];
    observe(before, 100);
    expect(before).toEqual(copy);
  });
});

it('faded weights become zero, and a clock that steps back is ignored', () => {
  let latency = observe(UNKNOWN, 3_600_000);
  for (let at = 0; at < 1_000; at++) latency = observe(latency, 100);
  expect(latency.at(-1)).toBe(0);
  expect(percentile(observe(latency, -1), 0.5)).toBeCloseTo(percentile(latency, 0.5) ?? 0, -1);
});
