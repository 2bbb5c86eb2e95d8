import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { type FakeClock, settled } from '../fakes/effects/clock.ts';
import { FREE } from './limits.ts';
import { externalOf } from './operations.ts';
import { createScene } from './scene.ts';

// A checksum database that is slow and has two addresses: each file that is late is asked of both.

/** What WebCrypto works on. It takes real time, during which the clock must stand still. */
const running = new Set<Promise<unknown>>();
beforeAll(() => {
  const { subtle } = crypto;
  for (const name of ['importKey', 'verify'] as const) {
    const original = subtle[name].bind(subtle) as (...parameters: unknown[]) => Promise<unknown>;
    vi.spyOn(subtle, name as 'verify').mockImplementation((...parameters) => {
      const work = original(...parameters);
      running.add(work);
      void work.finally(() => running.delete(work)).catch(() => undefined);
      return work as Promise<boolean>;
    });
  }
});
afterAll(() => void vi.restoreAllMocks());

/** The result of work, for which the clock is moved while nothing else is left to do. */
async function overTime<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  const ended = new AbortController();
  void work.finally(() => ended.abort());
  while (!ended.signal.aborted) {
    await settled();
    if (running.size > 0) await Promise.allSettled(running);
    else await clock.advance(10);
  }
  return work;
}

/** The calls of the first .mod of a deployment, when each answer of the database takes so long. */
async function coldMod(databaseLatencyMs: number) {
  const { usedIsolate, world } = createScene({ limits: FREE, databaseLatencyMs });
  const visit = (await usedIsolate('A')).visit('/example.com/hello/@v/v1.1.0.mod');
  const response = await overTime(world.clock, visit.response);
  await response.bytes();
  await overTime(world.clock, visit.ended());
  const { counts, refused } = visit.invocation;
  return { status: response.status, external: externalOf(counts), refused };
}

it.each([120, 350, 600, 1200])(
  'a log that takes %i ms costs at most 25 external calls for a cold .mod',
  async (latency) => {
    const { external, ...rest } = await coldMod(latency);
    expect(rest).toEqual({ status: 200, refused: 0 });
    expect(external).toBeLessThanOrEqual(25);
  },
);
