import { describe, expect, it } from 'vitest';
import { failTimes, succeed } from '../../../test/fakes/effects/health.ts';
import { bad, good, isolateIn, isOut, worldOf } from '../../../test/fakes/effects/isolate.ts';
import { memoryShared } from '../../../test/fakes/store/shared-state.ts';

const SECOND = 1_000;
const MINUTE = 60_000;

describe('a fresh isolate', () => {
  it('knows of an outage after its first request, from the data centre', async () => {
    const { clock, dataCentre } = worldOf();
    const first = isolateIn({ clock, dataCentre });
    failTimes(first.pool, bad);
    await first.request();
    const second = isolateIn({ clock, dataCentre });
    await second.request();
    expect(isOut(second)).toBe(true);
    expect(second.pool.health(bad)).toEqual(first.pool.health(bad));
  });

  it('in another data centre knows of it from KV', async () => {
    const { clock, dataCentre, world } = worldOf();
    const first = isolateIn({ clock, dataCentre, world });
    failTimes(first.pool, bad);
    await first.request();
    const second = isolateIn({ clock, dataCentre: memoryShared(clock), world });
    await second.request();
    expect(isOut(second)).toBe(true);
  });

  it('that knows better keeps what it saw, and tells it', async () => {
    const { clock, dataCentre, world } = worldOf();
    const first = isolateIn({ clock, dataCentre, world });
    failTimes(first.pool, bad);
    await first.request();
    await clock.advance(2 * SECOND);
    const second = isolateIn({ clock, dataCentre, world });
    await second.request();
    succeed(second.pool, bad);
    await second.request();
    await clock.advance(10 * SECOND);
    await first.request();
    expect([isOut(second), isOut(first)]).toEqual([false, false]);
  });

  it('is not told of what is over: the data centre forgets after ten minutes, KV after an hour', async () => {
    const { clock, dataCentre, world } = worldOf();
    const first = isolateIn({ clock, dataCentre, world });
    failTimes(first.pool, bad);
    await first.request();
    await clock.advance(11 * MINUTE);
    const second = isolateIn({ clock, dataCentre });
    await second.request();
    expect(isOut(second)).toBe(false);
    const third = isolateIn({ clock, dataCentre, world });
    await third.request();
    expect(isOut(third)).toBe(true);
    await clock.advance(50 * MINUTE);
    const fourth = isolateIn({ clock, dataCentre: memoryShared(clock), world });
    await fourth.request();
    expect(isOut(fourth)).toBe(false);
  });
});

it('who writes loses nothing of what others wrote meanwhile', async () => {
  const { clock, dataCentre } = worldOf();
  const first = isolateIn({ clock, dataCentre });
  const second = isolateIn({ clock, dataCentre });
  for (const isolate of [first, second]) await isolate.request();
  failTimes(first.pool, bad);
  await first.request();
  failTimes(second.pool, good);
  await second.request();
  const third = isolateIn({ clock, dataCentre });
  await third.request();
  expect([bad, good].map((origin) => third.pool.isOut(origin, false))).toEqual([true, true]);
});

describe('how often', () => {
  it('the data centre is read at most every 10 s, KV every minute, and a request between costs nothing', async () => {
    const scene = worldOf();
    const isolate = isolateIn(scene);
    const jobs: number[] = [];
    for (let second = 0; second <= 120; second++) {
      jobs.push(await isolate.request());
      await scene.clock.advance(SECOND);
    }
    expect(jobs.filter(Boolean).length).toBe(13);
    expect([scene.dataCentre.counts, scene.world.counts]).toEqual([
      { reads: 13, writes: 0 },
      { reads: 3, writes: 0 },
    ]);
  });

  it('a change is told to the data centre within a second', async () => {
    const { clock, dataCentre } = worldOf();
    const isolate = isolateIn({ clock, dataCentre });
    await isolate.request();
    failTimes(isolate.pool, bad, 1);
    await isolate.request();
    failTimes(isolate.pool, bad, 2);
    await isolate.request();
    expect(dataCentre.counts.writes).toBe(1);
    await clock.advance(SECOND);
    await isolate.request();
    expect(dataCentre.counts.writes).toBe(2);
  });

  it('what changes no breaker is told to the data centre every 30 s, and to KV never', async () => {
    const scene = worldOf();
    const isolate = isolateIn(scene);
    for (let second = 0; second < 300; second++) {
      succeed(isolate.pool, good);
      await isolate.request();
      await scene.clock.advance(SECOND);
    }
    expect([scene.dataCentre.counts.writes, scene.world.counts.writes]).toEqual([10, 0]);
  });

  it('without anything new nothing is written', async () => {
    const { clock, dataCentre } = worldOf();
    const isolate = isolateIn({ clock, dataCentre });
    failTimes(isolate.pool, bad);
    for (let minute = 0; minute < 9; minute++) {
      await isolate.request();
      await clock.advance(MINUTE);
    }
    expect(dataCentre.counts.writes).toBe(1);
  });

  it('KV is written when an origin goes out or comes back, at most every minute', async () => {
    const scene = worldOf();
    const isolate = isolateIn(scene);
    failTimes(isolate.pool, bad, 1);
    await isolate.request();
    expect(scene.world.counts).toEqual({ reads: 1, writes: 0 });
    await isolate.request();
    failTimes(isolate.pool, bad, 2);
    await isolate.request();
    expect(scene.world.counts).toEqual({ reads: 2, writes: 1 });
    await scene.clock.advance(MINUTE);
    for (let second = 0; second < 600; second++) {
      if (second % 2 === 0) failTimes(isolate.pool, bad);
      else succeed(isolate.pool, bad);
      await isolate.request();
      await scene.clock.advance(SECOND);
    }
    expect(scene.world.counts.writes).toBeLessThanOrEqual(11);
    expect(scene.world.counts.writes).toBeGreaterThan(2);
  });

  it('of many isolates that see one outage, one tells the world', async () => {
    const { clock, world } = worldOf();
    for (let at = 0; at < 20; at++) {
      const isolate = isolateIn({ clock, dataCentre: memoryShared(clock), world });
      failTimes(isolate.pool, bad);
      await isolate.request();
      await clock.advance(100);
    }
    expect(world.counts.writes).toBe(1);
  });
});

it('learn and publish do it now, and publish tells the world only what it does not know', async () => {
  const scene = worldOf();
  const first = isolateIn(scene);
  failTimes(first.pool, bad);
  await first.sharing.publish();
  const second = isolateIn(scene);
  await second.sharing.learn();
  expect(isOut(second)).toBe(true);
  await second.sharing.publish();
  expect([scene.dataCentre.counts.writes, scene.world.counts.writes]).toEqual([2, 1]);
});
