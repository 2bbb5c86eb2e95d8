import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { Budget } from './budget.ts';

it('gives what is left, and no more', () => {
  const budget = new Budget(10, fakeClock());
  const first = budget.take(6);
  expect([budget.take(5), typeof budget.take(4), budget.take(1)]).toEqual([
    undefined,
    'function',
    undefined,
  ]);
  first?.();
  expect(budget.take(6)).toBeDefined();
});

it('what is given back twice counts once', () => {
  const budget = new Budget(10, fakeClock());
  const release = budget.take(10);
  release?.();
  release?.();
  expect([typeof budget.take(10), budget.take(1)]).toEqual(['function', undefined]);
});

it('what nobody gave back in five minutes is free again, and is not given back later', async () => {
  const clock = fakeClock();
  const budget = new Budget(10, clock);
  const lost = budget.take(10);
  await clock.advance(5 * 60_000);
  expect(budget.take(1)).toBeUndefined();
  await clock.advance(1);
  expect(budget.take(10)).toBeDefined();
  lost?.();
  expect(budget.take(1)).toBeUndefined();
});

it('work that needs more than is left waits until there is enough, and gives it back', async () => {
  const clock = fakeClock();
  const budget = new Budget(10, clock);
  const release = budget.take(6);
  let ran = false;
  const work = budget.holding(5, async () => (ran = true));
  await clock.advance(1_000);
  expect(ran).toBe(false);
  release?.();
  await clock.advance(50);
  expect(await work).toBe(true);
  expect(budget.take(10)).toBeDefined();
});

it('work that fails gives it back as well', async () => {
  const budget = new Budget(10, fakeClock());
  await expect(budget.holding(10, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(budget.take(10)).toBeDefined();
});
