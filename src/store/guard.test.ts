import { describe, expect, it } from 'vitest';
import { fakeClock, settled } from '../../test/fakes/effects/clock.ts';
import { createTrace } from '../effects/trace.ts';
import type { StoredFile, Upload } from './contract.ts';
import { Guard } from './guard.ts';

const tier = { label: 'r2' };
const throws = () => {
  throw new TypeError('no such binding');
};
const away = () => Promise.reject(new Error('tier is away'));

function setup() {
  const clock = fakeClock();
  const trace = createTrace(clock);
  const troubles: string[] = [];
  const running: [label: string, work: Promise<unknown>][] = [];
  const guard = new Guard({
    clock,
    trace,
    background: (label, work) => void running.push([label, work]),
    emit: ({ label, error }) => troubles.push(`${label}: ${String(error)}`),
  });
  return { clock, trace, troubles, running, guard };
}

describe('a read', () => {
  it('gives what the tier has, and its time is measured under the label of the tier', async () => {
    const { guard, clock, trace, troubles } = setup();
    const reading = guard.read(tier, async () => {
      await clock.sleep(7);
      return 'file';
    });
    await clock.advance(7);
    expect(await reading).toBe('file');
    expect([...trace.timings]).toEqual([['r2', 7]]);
    expect(troubles).toEqual([]);
  });

  it('of an absent tier is undefined, and asks nothing', async () => {
    const { guard, trace } = setup();
    expect(await guard.read(undefined, away)).toBeUndefined();
    expect(trace.timings.size).toBe(0);
  });

  it('that fails is a miss with an event, also where the tier throws at once', async () => {
    const { guard, troubles } = setup();
    expect(await guard.read(tier, away)).toBeUndefined();
    expect(await guard.read(tier, throws)).toBeUndefined();
    expect(troubles).toEqual(['r2: Error: tier is away', 'r2: TypeError: no such binding']);
  });

  it('that takes five seconds is a miss with an event, and not a moment earlier', async () => {
    const { guard, clock, troubles } = setup();
    let result: unknown = 'none yet';
    void guard
      .read(tier, () => new Promise<string>(() => undefined))
      .then((value) => (result = value));
    await clock.advance(4_999);
    expect(result).toBe('none yet');
    await clock.advance(1);
    expect(result).toBeUndefined();
    expect(troubles).toEqual(['r2: TimeoutError: No result within 5000 ms']);
  });

  it('that ends too late has its stream cancelled', async () => {
    const { guard, clock } = setup();
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({ cancel: () => void (isCancelled = true) });
    const late = Promise.withResolvers<StoredFile>();
    const reading = guard.read(tier, () => late.promise);
    await clock.advance(5_000);
    expect(await reading).toBeUndefined();
    late.resolve({ body, size: 1, etag: '"e"' });
    await settled();
    expect(isCancelled).toBe(true);
  });

  it('that begins an upload too late has it aborted', async () => {
    const { guard, clock } = setup();
    const reasons: unknown[] = [];
    const upload: Upload = {
      write: async () => undefined,
      commit: async () => true,
      abort: async (reason) => void reasons.push(reason),
    };
    const late = Promise.withResolvers<Upload>();
    const starting = guard.read(tier, () => late.promise);
    await clock.advance(5_000);
    expect(await starting).toBeUndefined();
    late.resolve(upload);
    await settled();
    expect(reasons.map(String)).toEqual(['Error: The upload started after its time limit']);
  });
});

describe('a write', () => {
  it('runs in the background under the label of its tier', () => {
    const { guard, running } = setup();
    void guard.write(tier, async () => undefined);
    expect(running.map(([label]) => label)).toEqual(['write r2']);
  });

  it('to an absent tier does nothing', () => {
    const { guard, running } = setup();
    void guard.write(undefined, away);
    expect(running).toEqual([]);
  });
});

describe('an attempt', () => {
  it('has no limit of time', async () => {
    const { guard, clock } = setup();
    const attempt = guard.attempt(tier, async () => {
      await clock.sleep(60_000);
      return true;
    });
    await clock.advance(60_000);
    expect(await attempt).toBe(true);
  });

  it('that fails is undefined with an event', async () => {
    const { guard, troubles } = setup();
    expect(await guard.attempt(tier, away)).toBeUndefined();
    expect(await guard.attempt(undefined, away)).toBeUndefined();
    expect(troubles).toEqual(['r2: Error: tier is away']);
  });
});
