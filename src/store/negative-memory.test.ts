import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { bytes, modulePath } from '../../test/fakes/effects/values.ts';
import { latestKey, listKey } from './key.ts';
import { NegativeMemory, negativeMemory } from './negative-memory.ts';

const KEY = listKey(modulePath('corp.example/x'));
const MISSING = { status: 404, text: 'no such module', origin: 'a' } as const;
const LIFE = { asOf: 7, seconds: 3_600 };

it('a "not found" is remembered for half a minute, however long it may be kept', async () => {
  const clock = fakeClock();
  const store = negativeMemory(new NegativeMemory(clock));
  await store.writeMissing(KEY, MISSING, LIFE);
  await clock.advance(29_000);
  expect(await store.read(KEY)).toEqual({ kind: 'missing', missing: MISSING, asOf: 7 });
  expect(await store.read(latestKey(modulePath('corp.example/x')))).toBeUndefined();
  await clock.advance(1_000);
  expect(await store.read(KEY)).toBeUndefined();
});

it('a "not found" can be removed', async () => {
  const store = negativeMemory(new NegativeMemory(fakeClock()));
  await store.writeMissing(KEY, MISSING, LIFE);
  await store.remove(KEY);
  expect(await store.read(KEY)).toBeUndefined();
});

it('no file is kept', async () => {
  const store = negativeMemory(new NegativeMemory(fakeClock()));
  await store.write(KEY, { bytes: bytes('v1.0.0\n'), etag: '"1"' }, LIFE);
  expect(await store.read(KEY)).toBeUndefined();
});

it('of two thousand and one, the oldest is forgotten', () => {
  const memory = new NegativeMemory(fakeClock());
  for (let at = 0; at <= 2_000; at++) memory.set(String(at), MISSING, 0);
  expect([memory.get('0'), memory.get('1')?.missing, memory.get('2000')?.missing]).toEqual([
    undefined,
    MISSING,
    MISSING,
  ]);
});
