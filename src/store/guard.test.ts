import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { bytes } from '../../test/fakes/effects/values.ts';
import { createTrace } from '../effects/trace.ts';
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
});

describe('the bytes of a body', () => {
  it('are read whole', async () => {
    const { guard } = setup();
    expect(await guard.bytes({ body: new Blob(['module m\n']).stream(), size: 9 })).toEqual(
      bytes('module m\n'),
    );
  });

  it('that take five seconds are a miss with an event, and not a moment earlier', async () => {
    const { guard, clock, troubles } = setup();
    let result: unknown = 'none yet';
    let isCancelled = false;
    const body = new ReadableStream({ type: 'bytes', cancel: () => void (isCancelled = true) });
    void guard.read(tier, () => guard.bytes({ body, size: 9 })).then((value) => (result = value));
    await clock.advance(4_999);
    expect(result).toBe('none yet');
    await clock.advance(1);
    expect(result).toBeUndefined();
    expect(troubles).toEqual(['r2: TimeoutError: No result within 5000 ms']);
    expect(isCancelled).toBe(true);
  });

  it('that are fewer than the tier said are a miss with an event', async () => {
    const { guard, troubles } = setup();
    const body = new Blob(['module m\n']).stream();
    expect(await guard.read(tier, () => guard.bytes({ body, size: 10 }))).toBeUndefined();
    expect(troubles).toEqual(['r2: Error: The store sent 9 bytes of 10']);
  });

  it('that break off are a miss with an event', async () => {
    const { guard, troubles } = setup();
    const body = new ReadableStream({
      type: 'bytes',
      pull: (controller) => controller.error(new Error('connection lost')),
    });
    expect(await guard.read(tier, () => guard.bytes({ body, size: 9 }))).toBeUndefined();
    expect(troubles).toEqual(['r2: Error: connection lost']);
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
  it('is not measured', async () => {
    const { guard, trace } = setup();
    expect(await guard.attempt(tier, async () => true)).toBe(true);
    expect(trace.timings.size).toBe(0);
  });

  it('that fails is undefined with an event', async () => {
    const { guard, troubles } = setup();
    expect(await guard.attempt(tier, away)).toBeUndefined();
    expect(await guard.attempt(undefined, away)).toBeUndefined();
    expect(troubles).toEqual(['r2: Error: tier is away']);
  });
});
