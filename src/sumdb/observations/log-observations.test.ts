import { expect, it } from 'vitest';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { fakeContext, memoryTiers } from '../../../test/fakes/mirror/context.ts';
import { bytes, text } from '../../../test/fakes/effects/values.ts';
import { ownKey } from '../../store/key.ts';
import { LogObservations } from './log-observations.ts';

const KEY = ownKey('log/sum.example%2Fv2.json');

/** Isolates that observe one log and share a store. */
function world() {
  const clock = fakeClock(1_000_000);
  const tiers = memoryTiers(clock);
  let writes = 0;
  const { swap } = tiers.durable;
  tiers.durable.swap = (...args) => {
    writes += 1;
    return swap.call(tiers.durable, ...args);
  };
  function isolate() {
    const observations = new LogObservations('sum.example/v2');
    const context = fakeContext({ clock, tiers });
    return {
      context,
      note: (size: number) => observations.note(size, context),
      read: (maxAgeMs = 0) => observations.read(maxAgeMs, context),
    };
  }
  const stored = async (): Promise<unknown> => {
    const file = await tiers.durable.readForSwap(KEY);
    return file && JSON.parse(text(file.bytes));
  };
  return { clock, tiers, isolate, stored, writes: () => writes };
}

it('an observation is known at once, written behind the answer, and known to other isolates', async () => {
  const { clock, isolate, stored } = world();
  const [a, b] = [isolate(), isolate()];
  a.note(100);
  expect(await a.read()).toEqual([{ size: 100, at: clock.now() }]);
  await a.context.idle();
  expect(await stored()).toEqual({ version: 1, observations: [[100, clock.now()]] });
  expect(await b.read()).toEqual([{ size: 100, at: clock.now() }]);
});

it('a smaller tree than one before says nothing, and is not written', async () => {
  const { clock, isolate, writes } = world();
  const [a, b] = [isolate(), isolate()];
  a.note(100);
  await a.context.idle();
  await clock.advance(5_000);
  a.note(90);
  b.note(100);
  await b.context.idle();
  expect((await b.read())?.map(({ size }) => size)).toEqual([100]);
  expect(writes()).toBe(1);
});

it('a log that grows all the time is written after pauses that become longer, up to a minute', async () => {
  const { clock, isolate, stored, writes } = world();
  const { context, note } = isolate();
  const at: number[] = [];
  const start = clock.now();
  for (let second = 0; second < 600; second += 1) {
    const before = writes();
    note(100 + second);
    await clock.advance(1_000);
    if (writes() > before) at.push((clock.now() - start) / 1_000);
  }
  expect(at.slice(0, 5)).toEqual([1, 2, 6, 14, 30]);
  expect(at.length).toBeLessThan(16);
  await clock.advance(60_000);
  await context.idle();
  // Thinned: of ten minutes of which each second was observed.
  const { observations } = (await stored()) as { observations: readonly unknown[] };
  expect(observations.length).toBeGreaterThan(80);
  expect(observations.length).toBeLessThan(200);
});

it('observations that cannot be written are written later', async () => {
  const { clock, isolate, tiers } = world();
  const { context, note } = isolate();
  const { swap } = tiers.durable;
  tiers.durable.swap = async () => false;
  note(100);
  const at = clock.now();
  await clock.advance(10_000);
  await context.idle();
  tiers.durable.swap = swap;
  await clock.advance(60_000);
  note(101);
  await context.idle();
  expect((await isolate().read())?.[0]).toEqual({ size: 100, at });
});

it.each([
  ['damaged', '{"version":1,"observations":[[1]]}'],
  ['no JSON', 'x'],
  ['of a newer release', '{"version":2,"observations":[]}'],
])('a document that is %s counts as unknown, and stays as it is', async (_, document) => {
  const { isolate, tiers } = world();
  await tiers.durable.write(KEY, { bytes: bytes(document), etag: '"x"' }, 'create');
  const { context, note, read } = isolate();
  note(100);
  await context.idle();
  expect(await read()).toBeUndefined();
  const file = await tiers.durable.readForSwap(KEY);
  expect(file && text(file.bytes)).toBe(document);
  expect(context.troubles[0]).toMatch(
    /^own document: \.modferry\/log\/sum\.example%2Fv2\.json: It is/,
  );
});

it('without a durable tier an isolate knows its own observations', async () => {
  const clock = fakeClock();
  const { near } = memoryTiers(clock);
  const context = fakeContext({ clock, tiers: { near } });
  const observations = new LogObservations('sum.example');
  observations.note(100, context);
  await context.idle();
  expect(await observations.read(0, context)).toEqual([{ size: 100, at: clock.now() }]);
});
