import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { Budget, openBudgets } from './memory-budget.ts';

it('a budget gives what is left, and no more', () => {
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

it('memory that is released twice counts once', () => {
  const budget = new Budget(10, fakeClock());
  const release = budget.take(10);
  release?.();
  release?.();
  expect([typeof budget.take(10), budget.take(1)]).toEqual(['function', undefined]);
});

it('memory that is not released within five minutes is free again, and a late release changes nothing', async () => {
  const clock = fakeClock();
  const budget = new Budget(10, clock);
  const releaseLate = budget.take(10);
  await clock.advance(5 * 60_000);
  expect(budget.take(1)).toBeUndefined();
  await clock.advance(1);
  expect(budget.take(10)).toBeDefined();
  releaseLate?.();
  expect(budget.take(1)).toBeUndefined();
});

it('memory that is renewed stays reserved for longer', async () => {
  const clock = fakeClock();
  const budget = new Budget(10, clock);
  const release = budget.take(10);
  for (let minute = 0; minute < 20; minute += 1) {
    await clock.advance(60_000);
    if (release) budget.renew(release);
  }
  expect(budget.take(1)).toBeUndefined();
  release?.();
  expect(budget.take(10)).toBeDefined();
});

it('work that needs more than is left waits until there is enough, and releases it', async () => {
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

it('work that fails releases its memory as well', async () => {
  const budget = new Budget(10, fakeClock());
  await expect(budget.holding(10, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(budget.take(10)).toBeDefined();
});

it('work that needs more than the whole budget is refused and does not wait', async () => {
  const budget = new Budget(10, fakeClock());
  let ran = false;
  await expect(budget.holding(11, async () => (ran = true))).rejects.toThrow(
    new RangeError('Cannot hold 11 bytes in a budget of 10'),
  );
  expect([ran, typeof budget.take(10)]).toEqual([false, 'function']);
});

it('the first amount that is free is reserved, at once or before the deadline', async () => {
  const clock = fakeClock();
  const budget = new Budget(10, clock);
  const in5s = () => clock.now() + 5_000;
  expect((await budget.takeFirst([{ bytes: 11 }, { bytes: 7 }, { bytes: 3 }], in5s()))?.bytes).toBe(
    7,
  );
  const last = await budget.takeFirst([{ bytes: 7 }, { bytes: 3 }], in5s());
  expect(last?.bytes).toBe(3);
  const waiting = budget.takeFirst([{ bytes: 7 }, { bytes: 2 }], in5s());
  await clock.advance(4_000);
  last?.release();
  await clock.advance(50);
  expect((await waiting)?.bytes).toBe(2);
  const late = budget.takeFirst([{ bytes: 2 }], in5s());
  await clock.advance(5_000);
  expect(await late).toBeUndefined();
});

it('files in memory and comparisons of stored files have budgets of their own, 72 of 128 MiB', () => {
  const { held, verifications } = openBudgets(fakeClock());
  const mib = 1024 * 1024;
  expect([typeof held.take(40 * mib), held.take(1)]).toEqual(['function', undefined]);
  expect([typeof verifications.take(32 * mib), verifications.take(1)]).toEqual([
    'function',
    undefined,
  ]);
});
