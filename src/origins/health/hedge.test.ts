import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../test/fakes/effects/seeded-random.ts';
import { HedgeBudget, hedgeDelayMs } from './hedge.ts';
import { observe, UNKNOWN } from './latency.ts';

describe('the hedge delay', () => {
  it.each([
    ['unknown', [], 500, 500],
    ['two answers', [100, 100], 500, 500],
    ['three answers', [300, 300, 300], 240, 375],
    ['very fast', Array.from({ length: 50 }, () => 20), 150, 150],
    ['a bit above the shortest', Array.from({ length: 50 }, () => 190), 152, 238],
    ['usual', Array.from({ length: 50 }, () => 700), 560, 875],
    [
      'one slow answer in ten',
      Array.from({ length: 50 }, (_, at) => (at % 10 === 5 ? 1_200 : 100)),
      960,
      1_500,
    ],
    [
      'one slow answer in fifty',
      Array.from({ length: 100 }, (_, at) => (at % 50 === 25 ? 1_900 : 100)),
      150,
      150,
    ],
    ['very slow', Array.from({ length: 50 }, () => 9_000), 2_000, 2_000],
    ['an hour', Array.from({ length: 50 }, () => 3_600_000), 2_000, 2_000],
  ])('of an origin that is %s', (_, answers: readonly number[], from, to) => {
    const found = hedgeDelayMs(answers.reduce(observe, UNKNOWN));
    expect(found).toBeGreaterThanOrEqual(from);
    expect(found).toBeLessThanOrEqual(to);
  });
});

/** How many of `wanted` extra requests may be made. */
function spend(budget: HedgeBudget, wanted: number): number {
  return Array.from({ length: wanted }, () => budget.spend()).filter(Boolean).length;
}

describe('the budget', () => {
  it('starts with ten, and a refused hedge costs nothing', () => {
    const budget = new HedgeBudget();
    expect([budget.left, spend(budget, 100), budget.left]).toEqual([10, 10, 0]);
    for (let at = 0; at < 9; at++) budget.earn();
    expect([budget.left, budget.spend()]).toEqual([0, false]);
    budget.earn();
    expect([budget.left, budget.spend(), budget.spend()]).toEqual([1, true, false]);
  });

  it('holds ten at most, however many requests were not hedged', () => {
    const budget = new HedgeBudget();
    for (let at = 0; at < 10_000; at++) budget.earn();
    expect([budget.left, spend(budget, 100)]).toEqual([10, 10]);
  });

  it('allows in the long run one hedge in ten requests', () => {
    const budget = new HedgeBudget();
    const granted = Array.from({ length: 100_000 }, () => {
      budget.earn();
      return budget.spend();
    });
    expect(granted.slice(1_000).filter(Boolean)).toHaveLength(9_900);
  });

  it.each([1, 2, 3, 4, 5, 6])(
    'seed %d: any n requests in a row have at most 10 + n/10 hedges, and those are granted',
    (seed) => {
      const dice = seededRandom(seed);
      const appetite = dice.next() * 0.5;
      const budget = new HedgeBudget();
      // Hedges granted, less a tenth of the requests; its least value so far is the start of the
      // worst stretch.
      let balance = 0;
      let least = 0;
      let most = 0;
      let leastRefused = 10;
      for (let request = 0; request < 5_000; request++) {
        budget.earn();
        balance -= 0.1;
        least = Math.min(least, balance);
        // quiet times and times in which every origin is slow, up to two hedges a request
        const wanted =
          request % 1000 < 300 ? 0 : [0, 1].filter(() => dice.next() < appetite).length;
        const granted = spend(budget, wanted);
        balance += granted;
        most = Math.max(most, balance - least);
        if (granted < wanted) leastRefused = Math.min(leastRefused, balance - least);
      }
      expect(most).toBeLessThanOrEqual(10 + 1e-6);
      expect(leastRefused).toBeGreaterThan(9 - 1e-6);
    },
  );
});
