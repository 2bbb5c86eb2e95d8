import { describe, expect, it } from 'vitest';
import { refused } from '../../../test/fakes/effects/fetch.ts';
import { failTimes, succeed } from '../../../test/fakes/effects/health.ts';
import { bad, good, isolateIn, isTripped, worldOf } from '../../../test/fakes/effects/isolate.ts';
import { memoryShared } from '../../../test/fakes/store/shared-state.ts';
import { Connections } from '../../effects/connections.ts';

const SECOND = 1_000;
const MINUTE = 60_000;

describe('a fresh isolate', () => {
  it('has the outages of the data centre after its first request', async () => {
    const { clock, dataCentre } = worldOf();
    const first = isolateIn({ clock, dataCentre });
    failTimes(first.health, bad);
    await first.request();
    const second = isolateIn({ clock, dataCentre });
    await second.request();
    expect(isTripped(second)).toBe(true);
    expect(second.health.of(bad)).toEqual(first.health.of(bad));
  });

  it('in another data centre has them from KV', async () => {
    const { clock, dataCentre, world } = worldOf();
    const first = isolateIn({ clock, dataCentre, world });
    failTimes(first.health, bad);
    await first.request();
    const second = isolateIn({ clock, dataCentre: memoryShared(clock), world });
    await second.request();
    expect(isTripped(second)).toBe(true);
  });

  it('keeps a later observation of its own, and shares it', async () => {
    const { clock, dataCentre, world } = worldOf();
    const first = isolateIn({ clock, dataCentre, world });
    failTimes(first.health, bad);
    await first.request();
    await clock.advance(2 * SECOND);
    const second = isolateIn({ clock, dataCentre, world });
    await second.request();
    succeed(second.health, bad);
    await second.request();
    await clock.advance(10 * SECOND);
    await first.request();
    expect([isTripped(second), isTripped(first)]).toEqual([false, false]);
  });

  it('does not see old outages: the data centre keeps them for ten minutes, KV for an hour', async () => {
    const { clock, dataCentre, world } = worldOf();
    const first = isolateIn({ clock, dataCentre, world });
    failTimes(first.health, bad);
    await first.request();
    await clock.advance(11 * MINUTE);
    const second = isolateIn({ clock, dataCentre });
    await second.request();
    expect(isTripped(second)).toBe(false);
    const third = isolateIn({ clock, dataCentre, world });
    await third.request();
    expect(isTripped(third)).toBe(true);
    await clock.advance(50 * MINUTE);
    const fourth = isolateIn({ clock, dataCentre: memoryShared(clock), world });
    await fourth.request();
    expect(isTripped(fourth)).toBe(false);
  });
});

it('a write keeps what other isolates wrote before', async () => {
  const { clock, dataCentre } = worldOf();
  const first = isolateIn({ clock, dataCentre });
  const second = isolateIn({ clock, dataCentre });
  for (const isolate of [first, second]) await isolate.request();
  failTimes(first.health, bad);
  await first.request();
  failTimes(second.health, good);
  await second.request();
  const third = isolateIn({ clock, dataCentre });
  await third.request();
  expect([bad, good].map((origin) => third.health.isTripped(origin))).toEqual([true, true]);
});

describe('to save reads and writes', () => {
  it('the data centre is read at most every 10 s and KV every minute', async () => {
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

  it('a change is written to the data centre within a second', async () => {
    const { clock, dataCentre } = worldOf();
    const isolate = isolateIn({ clock, dataCentre });
    await isolate.request();
    failTimes(isolate.health, bad, 1);
    await isolate.request();
    failTimes(isolate.health, bad, 2);
    await isolate.request();
    expect(dataCentre.counts.writes).toBe(1);
    await clock.advance(SECOND);
    await isolate.request();
    expect(dataCentre.counts.writes).toBe(2);
  });

  it('what changes no breaker is written to the data centre every 30 s, and never to KV', async () => {
    const scene = worldOf();
    const isolate = isolateIn(scene);
    for (let second = 0; second < 300; second++) {
      succeed(isolate.health, good);
      await isolate.request();
      await scene.clock.advance(SECOND);
    }
    expect([scene.dataCentre.counts.writes, scene.world.counts.writes]).toEqual([10, 0]);
  });

  it('nothing is written without a new observation', async () => {
    const { clock, dataCentre } = worldOf();
    const isolate = isolateIn({ clock, dataCentre });
    failTimes(isolate.health, bad);
    for (let minute = 0; minute < 9; minute++) {
      await isolate.request();
      await clock.advance(MINUTE);
    }
    expect(dataCentre.counts.writes).toBe(1);
  });

  it('KV is written when a breaker opens or closes, at most every minute', async () => {
    const scene = worldOf();
    const isolate = isolateIn(scene);
    failTimes(isolate.health, bad, 1);
    await isolate.request();
    expect(scene.world.counts).toEqual({ reads: 1, writes: 0 });
    await isolate.request();
    failTimes(isolate.health, bad, 2);
    await isolate.request();
    expect(scene.world.counts).toEqual({ reads: 2, writes: 1 });
    await scene.clock.advance(MINUTE);
    for (let second = 0; second < 600; second++) {
      if (second % 2 === 0) failTimes(isolate.health, bad);
      else succeed(isolate.health, bad);
      await isolate.request();
      await scene.clock.advance(SECOND);
    }
    expect(scene.world.counts.writes).toBeLessThanOrEqual(11);
    expect(scene.world.counts.writes).toBeGreaterThan(2);
  });

  it('of many isolates that see one outage, one writes it to KV', async () => {
    const { clock, world } = worldOf();
    for (let at = 0; at < 20; at++) {
      const isolate = isolateIn({ clock, dataCentre: memoryShared(clock), world });
      failTimes(isolate.health, bad);
      await isolate.request();
      await clock.advance(100);
    }
    expect(world.counts.writes).toBe(1);
  });
});

describe('the calls of a request', () => {
  it('are left to it where there are few: the next one shares the health', async () => {
    const { clock, dataCentre } = worldOf();
    const isolate = isolateIn({ clock, dataCentre });
    const connections = new Connections({ externalCalls: 50 });
    for (let at = 0; at < 40; at++) await connections.call('external', async () => undefined);
    expect(await isolate.request(connections)).toBe(0);
    expect(await isolate.request()).toBe(1);
  });

  it('that the platform refuses are no failure of the place', async () => {
    const { clock, dataCentre } = worldOf();
    const isolate = isolateIn({ clock, dataCentre: { ...dataCentre, read: refused } });
    await isolate.request();
    await clock.advance(10 * SECOND);
    expect([await isolate.request(), isolate.troubles]).toEqual([1, []]);
  });

  it('are made over its connections, and the time limit begins when one is free', async () => {
    const { clock, dataCentre } = worldOf();
    const isolate = isolateIn({ clock, dataCentre });
    const connections = new Connections();
    const [first] = Array.from({ length: 6 }, () => connections.take());
    await isolate.request(connections);
    await clock.advance(6 * SECOND);
    expect([dataCentre.counts.reads, isolate.troubles]).toEqual([0, []]);
    first?.release();
    await clock.advance(0);
    expect(dataCentre.counts.reads).toBe(1);
  });
});

it('read and write act at once, and KV is written only when it lacks an outage', async () => {
  const scene = worldOf();
  const first = isolateIn(scene);
  failTimes(first.health, bad);
  await first.sharing.write(new Connections());
  const second = isolateIn(scene);
  await second.sharing.read(new Connections());
  expect(isTripped(second)).toBe(true);
  await second.sharing.write(new Connections());
  expect([scene.dataCentre.counts.writes, scene.world.counts.writes]).toEqual([2, 1]);
});

it.each(['{"version":', '{"version":0}', 'x'.repeat(10_000)])(
  'a damaged text is reported without its content, and written over: %#',
  async (text) => {
    const { clock, dataCentre } = worldOf();
    await dataCentre.write('health', text, 600);
    const isolate = isolateIn({ clock, dataCentre });
    failTimes(isolate.health, bad);
    await isolate.request();
    expect(isolate.troubles).toEqual(['health in the data centre: Cannot read it: it is damaged']);
    const next = isolateIn({ clock, dataCentre });
    await next.request();
    expect([next.troubles, isTripped(next)]).toEqual([[], true]);
  },
);

it('the text of a newer release is reported, and stays as it is', async () => {
  const { clock, dataCentre } = worldOf();
  const newer = '{"version":99}';
  await dataCentre.write('health', newer, 600);
  const isolate = isolateIn({ clock, dataCentre });
  failTimes(isolate.health, bad);
  await isolate.request();
  expect(isolate.troubles).toEqual([
    'health in the data centre: A newer release of modferry has written it',
  ]);
  await clock.advance(120 * SECOND);
  await isolate.request();
  expect(isolate.troubles).toHaveLength(1);
  expect(await dataCentre.read('health')).toBe(newer);
});

it('a damaged text in KV is written over although there is no outage', async () => {
  const scene = worldOf();
  await scene.world.write('health', 'damaged', 3_600);
  const isolate = isolateIn(scene);
  failTimes(isolate.health, good, 1);
  await isolate.request();
  expect(isolate.troubles).toEqual(['health in KV: Cannot read it: it is damaged']);
  expect(await scene.world.read('health')).toContain('"version":1');
});

it('a place that fails is reported and not used for a minute, and the other one is', async () => {
  const { clock, dataCentre, world } = worldOf();
  const writer = isolateIn({ clock, dataCentre: memoryShared(clock), world });
  failTimes(writer.health, bad);
  await writer.request();
  dataCentre.trouble = Promise.reject(new Error('away'));
  dataCentre.trouble.catch(() => undefined);
  const isolate = isolateIn({ clock, dataCentre, world });
  for (let second = 0; second < 59; second++) {
    failTimes(isolate.health, good, 1);
    await isolate.request();
    await clock.advance(SECOND);
  }
  expect(isolate.troubles).toEqual(['health in the data centre: Error: away']);
  expect(isTripped(isolate)).toBe(true);
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
  failTimes(isolate.health, bad);
  await isolate.request();
  expect([isolate.troubles.length, dataCentre.texts.size]).toEqual([1, 0]);
  await clock.advance(MINUTE);
  await isolate.request();
  expect([isolate.troubles.length, dataCentre.texts.size]).toEqual([1, 1]);
});

it('a place that hangs fails after 5 s, and no other request uses it meanwhile', async () => {
  const { clock, dataCentre, world } = worldOf();
  dataCentre.trouble = new Promise(() => undefined);
  const isolate = isolateIn({ clock, dataCentre, world });
  expect(await isolate.request()).toBe(1);
  failTimes(isolate.health, bad);
  expect(await isolate.request()).toBe(0);
  await clock.advance(5 * SECOND);
  expect(isolate.troubles).toEqual([expect.stringContaining('5000 ms')]);
  expect(world.counts).toEqual({ reads: 1, writes: 1 });
  expect(await isolate.request()).toBe(0);
});

it('an exchange that ended with its request is replaced after 30 s', async () => {
  const { clock, dataCentre } = worldOf();
  const deadClock = { ...clock, alarm: () => () => undefined };
  const isolate = isolateIn({ clock: deadClock, dataCentre });
  dataCentre.trouble = new Promise(() => undefined);
  expect(await isolate.request()).toBe(1);
  dataCentre.trouble = undefined;
  failTimes(isolate.health, bad);
  await clock.advance(29 * SECOND);
  expect(await isolate.request()).toBe(0);
  await clock.advance(SECOND);
  expect(await isolate.request()).toBe(1);
  expect(dataCentre.counts.writes).toBe(1);
});
