import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { steadyTime, systemClock, TimeoutError, within } from './clock.ts';

const never = new Promise<never>(() => undefined);

describe('within', () => {
  it('gives the result of work that is done in time, and leaves no alarm', async () => {
    const clock = fakeClock();
    expect(await within(clock, 1000, Promise.resolve('done'))).toBe('done');
    expect(clock.alarms).toEqual([]);
  });

  it('rejects as the work does, and leaves no alarm', async () => {
    const clock = fakeClock();
    await expect(within(clock, 1000, Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    );
    expect(clock.alarms).toEqual([]);
  });

  it('rejects when the time is up, and not before', async () => {
    const clock = fakeClock();
    let state = 'waiting';
    const work = within(clock, 1000, never);
    work.catch(() => (state = 'rejected'));
    await clock.advance(999);
    expect(state).toBe('waiting');
    await clock.advance(1);
    await expect(work).rejects.toEqual(new TimeoutError(1000));
    await expect(work).rejects.toMatchObject({ ms: 1000, message: 'No result within 1000 ms' });
  });

  it('does not notice what the work does afterwards', async () => {
    const clock = fakeClock();
    const late = Promise.withResolvers<void>();
    const work = within(clock, 1, late.promise);
    work.catch(() => undefined);
    await clock.advance(1);
    late.reject(new Error('too late'));
    await expect(work).rejects.toBeInstanceOf(TimeoutError);
  });
});

describe('the system clock', () => {
  it('rings when the time is up, unless the alarm was cancelled', async () => {
    const rings: string[] = [];
    systemClock.alarm(0, () => rings.push('cancelled'))();
    await new Promise<void>((resolve) => {
      systemClock.alarm(0, () => {
        rings.push('rung');
        resolve();
      });
    });
    expect(rings).toEqual(['rung']);
  });

  it('wakes at once who may not sleep', async () => {
    await systemClock.sleep(0);
    const over = new AbortController();
    const sleeping = systemClock.sleep(60_000, over.signal);
    over.abort(new Error('enough'));
    await expect(sleeping).rejects.toThrow('enough');
    await expect(systemClock.sleep(60_000, over.signal)).rejects.toThrow('enough');
  });

  it('shows the time since 1970', () => {
    expect(systemClock.now()).toBeGreaterThan(Date.UTC(2020, 0, 1));
  });
});

describe('the steady time', () => {
  it('does not go back when the wall clock does, and goes on from there', () => {
    let wall = Date.UTC(2026, 0, 1);
    const steady = steadyTime(() => wall);
    const start = steady();
    expect(start).toBe(wall);
    wall += 1_000;
    expect(steady() - start).toBe(1_000);
    wall -= 3_600_000;
    expect(steady() - start).toBe(1_000);
    wall += 500;
    expect(steady() - start).toBe(1_500);
  });

  it('counts a step forward as time that has passed', () => {
    let wall = Date.UTC(2026, 0, 1);
    const steady = steadyTime(() => wall);
    const start = steady();
    wall += 3_600_000;
    expect(steady() - start).toBe(3_600_000);
  });
});
