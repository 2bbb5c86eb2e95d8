import { expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { memoryEdge } from '../../test/fakes/store/memory-store.ts';
import { nearTestText, testNear } from './near-test.ts';

it('a near tier that keeps what is written works, with the time of each step', async () => {
  const clock = fakeClock();
  const near = memoryEdge(clock);
  const { read, write } = near;
  near.write = async (...args) => {
    await clock.sleep(3);
    return write(...args);
  };
  near.read = async (key) => {
    await clock.sleep(2);
    return read(key);
  };
  const testing = testNear(near, clock);
  await clock.advance(3);
  await clock.advance(2);
  expect(nearTestText(await testing)).toBe('edge cache: works, written in 3 ms, read in 2 ms');
});

it('a near tier that keeps nothing, fails or hangs is told apart from one that works', async () => {
  const clock = fakeClock();
  const near = memoryEdge(clock);
  const empty = { ...near, write: async () => undefined };
  expect(await testNear(empty, clock)).toEqual({ kind: 'not found' });
  await testNear(near, clock);
  await clock.advance(1_000);
  const stuck = { ...near, write: async () => undefined };
  expect(await testNear(stuck, clock)).toEqual({ kind: 'not found' });
  const failing = { ...near, write: () => Promise.reject(new Error('no')) };
  expect(await testNear(failing, clock)).toEqual({ kind: 'failed' });
  const hanging = testNear({ ...near, read: () => new Promise(() => undefined) }, clock);
  await clock.advance(2_000);
  expect(nearTestText(await hanging)).toBe(
    'edge cache: fails, so every answer is read from KV or R2',
  );
});
