import { expect, it } from 'vitest';
import { failTimes } from '../../../test/fakes/effects/health.ts';
import { bad, good, isolateIn, isOut, worldOf } from '../../../test/fakes/effects/isolate.ts';
import { memoryShared } from '../../../test/fakes/store/shared-state.ts';

// What is shared is damaged, or its place fails or hangs: each isolate goes on with what it saw
// itself.

const SECOND = 1_000;
const MINUTE = 60_000;

it.each(['{"version":', '{"version":9}', 'x'.repeat(10_000)])(
  'a damaged text is reported without its content, and written over: %#',
  async (text) => {
    const { clock, dataCentre } = worldOf();
    await dataCentre.write('health', text, 600);
    const isolate = isolateIn({ clock, dataCentre });
    failTimes(isolate.pool, bad);
    await isolate.request();
    expect(isolate.reports).toEqual([
      'health in the data centre: Cannot read what is shared there: it is damaged or of another version',
    ]);
    const next = isolateIn({ clock, dataCentre });
    await next.request();
    expect([next.reports, isOut(next)]).toEqual([[], true]);
  },
);

it('a place that fails is reported and left alone for a minute, and the other one serves', async () => {
  const { clock, dataCentre, world } = worldOf();
  const teller = isolateIn({ clock, dataCentre: memoryShared(clock), world });
  failTimes(teller.pool, bad);
  await teller.request();
  dataCentre.trouble = Promise.reject(new Error('away'));
  dataCentre.trouble.catch(() => undefined);
  const isolate = isolateIn({ clock, dataCentre, world });
  for (let second = 0; second < 59; second++) {
    failTimes(isolate.pool, good, 1);
    await isolate.request();
    await clock.advance(SECOND);
  }
  expect(isolate.reports).toEqual(['health in the data centre: Error: away']);
  expect(isOut(isolate)).toBe(true);
  dataCentre.trouble = undefined;
  await clock.advance(2 * SECOND);
  await isolate.request();
  expect(dataCentre.counts.writes).toBe(1);
});

it('what could not be written is written later', async () => {
  const { clock, dataCentre } = worldOf();
  const isolate = isolateIn({
    clock,
    dataCentre: {
      ...dataCentre,
      read: (name) => dataCentre.read(name),
      write: (...rest) =>
        dataCentre.counts.writes === 0
          ? ((dataCentre.counts.writes = 1), Promise.reject(new Error('quota')))
          : dataCentre.write(...rest),
    },
  });
  failTimes(isolate.pool, bad);
  await isolate.request();
  expect([isolate.reports.length, dataCentre.texts.size]).toEqual([1, 0]);
  await clock.advance(MINUTE);
  await isolate.request();
  expect([isolate.reports.length, dataCentre.texts.size]).toEqual([1, 1]);
});

it('a place that hangs is given up after 5 s, and nobody else tries meanwhile', async () => {
  const { clock, dataCentre, world } = worldOf();
  dataCentre.trouble = new Promise(() => undefined);
  const isolate = isolateIn({ clock, dataCentre, world });
  expect(await isolate.request()).toBe(1);
  failTimes(isolate.pool, bad);
  expect(await isolate.request()).toBe(0);
  await clock.advance(5 * SECOND);
  expect(isolate.reports).toEqual([expect.stringContaining('5000 ms')]);
  expect(world.counts).toEqual({ reads: 1, writes: 1 });
  expect(await isolate.request()).toBe(0);
});

it('an exchange that was ended with its request is dead after 30 s, and another one begins', async () => {
  const { clock, dataCentre } = worldOf();
  const deadClock = { now: clock.now, sleep: () => new Promise<void>(() => undefined) };
  const isolate = isolateIn({ clock: deadClock, dataCentre });
  dataCentre.trouble = new Promise(() => undefined);
  expect(await isolate.request()).toBe(1);
  dataCentre.trouble = undefined;
  failTimes(isolate.pool, bad);
  await clock.advance(29 * SECOND);
  expect(await isolate.request()).toBe(0);
  await clock.advance(SECOND);
  expect(await isolate.request()).toBe(1);
  expect(dataCentre.counts.writes).toBe(1);
});
