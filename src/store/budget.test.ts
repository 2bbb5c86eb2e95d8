import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/clock.ts';
import { Budget } from './budget.ts';

it('gives what is left, and no more', () => {
  const budget = new Budget(10);
  expect([budget.take(6), budget.take(5), budget.take(4), budget.take(1)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
  budget.release(6);
  expect(budget.take(6)).toBe(true);
});

it('work that needs more than is left waits until there is enough, and gives it back', async () => {
  const clock = fakeClock();
  const budget = new Budget(10);
  budget.take(6);
  let ran = false;
  const work = budget.holding(5, clock, async () => (ran = true));
  await clock.advance(1_000);
  expect(ran).toBe(false);
  budget.release(6);
  await clock.advance(50);
  expect(await work).toBe(true);
  expect(budget.take(10)).toBe(true);
});

it('work that fails gives it back as well', async () => {
  const budget = new Budget(10);
  const failing = budget.holding(10, fakeClock(), () => Promise.reject(new Error('no')));
  await expect(failing).rejects.toThrow('no');
  expect(budget.take(10)).toBe(true);
});
