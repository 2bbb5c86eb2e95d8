import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../test/fakes/effects/seeded-random.ts';
import { firstWith, merged, type Observations, thinned } from './observations.ts';

const DAY_MS = 86_400_000;

/** What a log with ten records an hour looks like after a time, thinned at every n-th time. */
function observed(pauses: readonly number[], every = 1) {
  const all: { size: number; at: number }[] = [{ size: 1_000, at: 0 }];
  let kept: Observations = all;
  let fresh: { size: number; at: number }[] = [];
  let [at, size] = [0, 1_000];
  for (const [index, pause] of pauses.entries()) {
    at += pause;
    size += 1 + Math.floor(pause / 360_000);
    all.push({ size, at });
    fresh.push({ size, at });
    if (index % every !== 0) continue;
    kept = thinned(kept.concat(fresh), at);
    fresh = [];
  }
  return { all, kept: kept.concat(fresh), now: at, size };
}

describe('two lists of observations', () => {
  it('are one, with the earliest time of each size', () => {
    const some = [
      { size: 10, at: 1 },
      { size: 30, at: 3 },
    ];
    const others = [
      { size: 20, at: 2 },
      { size: 30, at: 2 },
      { size: 30, at: 5 },
      { size: 40, at: 6 },
    ];
    const all = [
      { size: 10, at: 1 },
      { size: 30, at: 2 },
      { size: 40, at: 6 },
    ];
    expect(merged(some, others)).toEqual(all);
    expect(merged(others, some)).toEqual(all);
  });

  it('have a record since the first tree that is larger than its number', () => {
    const observations = [
      { size: 10, at: 1 },
      { size: 30, at: 2 },
    ];
    const at = (record: number) => firstWith(record, observations)?.at;
    expect([0, 9, 10, 29, 30].map(at)).toEqual([1, 1, 2, 2, undefined]);
  });
});

describe('thinning', () => {
  it('makes no record older than it is, and none younger by more than a part of its age', () => {
    const random = seededRandom(7);
    const pauses = Array.from({ length: 3_000 }, () => 10 ** (random.next() * 8));
    const { all, kept, now, size } = observed(pauses);
    for (let at = 0; at < 2_000; at += 1) {
      const record = random.below(size);
      const right = firstWith(record, all)?.at ?? NaN;
      const counted = firstWith(record, kept)?.at ?? NaN;
      expect(counted).toBeGreaterThanOrEqual(right);
      expect(counted - right).toBeLessThanOrEqual(Math.max((now - counted) / 16, 1_000));
    }
  });

  it('keeps the first and the last one', () => {
    const { all, kept } = observed(Array.from({ length: 500 }, () => 1));
    expect([kept[0], kept.at(-1)]).toEqual([all[0], all.at(-1)]);
    expect(kept.length).toBeLessThan(10);
  });

  it('leaves some hundred of ten years in which the log was observed every 15 minutes', () => {
    const { kept } = observed(
      Array.from({ length: (3_653 * DAY_MS) / 900_000 }, () => 900_000),
      96,
    );
    expect(kept.length).toBeLessThan(600);
    expect(JSON.stringify(kept.map(({ at, size }) => [size, at])).length).toBeLessThan(20_000);
  });

  it('leaves less than a thousand of ten years in which somebody always asks', () => {
    // Doubling spans: every age from a second to ten years, with more observations than are kept.
    const pauses = Array.from({ length: 40_000 }, (_, at) => 3_653 * DAY_MS * 0.9995 ** at * 5e-4);
    expect(observed(pauses, 50).kept.length).toBeLessThan(1_000);
  });
});
