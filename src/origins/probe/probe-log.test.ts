import { expect, it } from 'vitest';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { memoryShared } from '../../../test/fakes/store/shared-state.ts';
import { ProbeLog } from './probe-log.ts';

const HOUR = 3_600_000;

function scene({ withKV = true } = {}) {
  const clock = fakeClock();
  const dataCentre = memoryShared(clock);
  const world = memoryShared(clock);
  const troubles: string[] = [];
  const log = new ProbeLog({
    states: withKV ? { dataCentre, world } : { dataCentre },
    clock,
    emit: ({ error, label }) => void troubles.push(`${label}: ${String(error)}`),
  });
  const add = () => log.add({ at: clock.now(), results: [] });
  return { clock, dataCentre, world, troubles, log, add };
}

it('grows round by round, in KV, or in the data centre where there is no KV', async () => {
  for (const withKV of [true, false]) {
    const { add, clock, dataCentre, log, world } = scene({ withKV });
    await add();
    await clock.advance(HOUR);
    await add();
    expect((await log.read()).map(({ at }) => at)).toEqual([clock.now() - HOUR, clock.now()]);
    expect([world.texts.size, dataCentre.texts.size]).toEqual(withKV ? [1, 0] : [0, 1]);
  }
});

it('returns nothing that is older than a day, also when no probe runs any more', async () => {
  const { add, clock, log } = scene();
  await add();
  await clock.advance(12 * HOUR);
  await add();
  await clock.advance(12 * HOUR);
  expect((await log.read()).length).toBe(1);
  await clock.advance(12 * HOUR);
  expect(await log.read()).toEqual([]);
});

it('a damaged history is reported, and a new one is started', async () => {
  const { add, log, troubles, world } = scene();
  await world.write('probes', '{"version":1,"rounds":[{"at":"SECRET"}]}', 600);
  await add();
  expect(troubles).toEqual(['history of probes: Cannot read it: it is damaged']);
  expect((await log.read()).length).toBe(1);
});

it('a history of a newer release is reported once, and stays as it is', async () => {
  const { add, clock, log, troubles, world } = scene();
  const newer = '{"version":99,"rounds":[]}';
  await world.write('probes', newer, 86_400);
  await add();
  await clock.advance(60_000);
  expect(await log.read()).toEqual([]);
  await add();
  expect(troubles).toEqual(['history of probes: A newer release of modferry has written it']);
  expect(world.texts.get('probes')?.text).toBe(newer);
});

it('while its place fails there is no history, and none is deleted', async () => {
  const { add, clock, log, troubles, world } = scene();
  await add();
  await clock.advance(30_000);
  world.trouble = Promise.reject(new Error('away'));
  world.trouble.catch(() => undefined);
  expect(await log.read()).toEqual([]);
  await add();
  expect([troubles.length, world.counts.writes]).toEqual([2, 1]);
  world.trouble = undefined;
  expect((await log.read()).length).toBe(1);
});

it('readers within half a minute share one read', async () => {
  const { add, clock, log, world } = scene();
  await log.read();
  const { reads } = world.counts;
  await log.read();
  expect(world.counts.reads).toBe(reads);
  await add();
  expect((await log.read()).length).toBe(1);
  await clock.advance(30_000);
  await log.read();
  expect(world.counts.reads).toBe(reads + 2); // for the round that was added, and now
});

it('a reader waits two seconds at most', async () => {
  const { clock, log, world } = scene();
  world.trouble = new Promise(() => undefined);
  const read = log.read();
  await clock.advance(2_000);
  expect(await read).toEqual([]);
});
