import { describe, expect, it } from 'vitest';
import { settled } from '../../test/fakes/effects/clock.ts';
import { modulePath, version } from '../../test/fakes/effects/values.ts';
import { fakeContext } from '../../test/fakes/mirror/context.ts';
import { versionKey } from '../store/key.ts';
import { malformed } from './messages.ts';
import { type Delivery, fetchShared } from './shared-fetch.ts';

const key = versionKey(modulePath('example.com/hello'), version('v1.0.0'), 'mod');
const OUTCOME = malformed('an outcome');

function setup(signal?: AbortSignal) {
  const context = fakeContext(signal ? { signal } : {});
  const { flights } = context.shared;
  return { context, join: () => flights.join(key) };
}

describe('a shared fetch', () => {
  it('gives its outcome to its own request and to those that wait', async () => {
    const { context, join } = setup();
    const gate = Promise.withResolvers<Delivery>();
    const fetching = fetchShared(key, context, () => gate.promise);
    const waiting = join();
    gate.resolve({ outcome: OUTCOME });
    expect([await fetching, await waiting]).toEqual([OUTCOME, OUTCOME]);
  });

  it('is joined until its file is stored, and not after', async () => {
    const { context, join } = setup();
    const gate = Promise.withResolvers<void>();
    const fetching = fetchShared(key, context, async () => ({
      outcome: OUTCOME,
      settled: gate.promise,
    }));
    expect(await fetching).toBe(OUTCOME); // its own answer does not wait for the store
    await settled();
    expect(await join()).toBe(OUTCOME);
    gate.resolve();
    await context.idle();
    expect(join()).toBeUndefined();
  });

  it.each([
    [true, 'stored'],
    [false, 'not stored'],
  ])('of a stream shares only whether it is stored: %s', async (isStored, shared) => {
    const { context, join } = setup();
    const fetching = fetchShared(key, context, async () => ({
      outcome: OUTCOME,
      stored: Promise.resolve(isStored),
    }));
    const waiting = join();
    await fetching;
    expect(await waiting).toBe(shared);
  });

  it('shows its leader how many requests wait', async () => {
    const { context, join } = setup();
    let count = -1;
    const fetching = fetchShared(key, context, async (leader) => {
      await settled();
      count = leader.waiting;
      return { outcome: OUTCOME };
    });
    void join();
    void join();
    await fetching;
    expect(count).toBe(2);
  });

  it('that rejects leaves the requests that wait to fetch by themselves, and says so', async () => {
    const { context, join } = setup();
    const fetching = fetchShared(key, context, () => Promise.reject(new Error('a bug')));
    const waiting = join();
    await expect(fetching).rejects.toThrow('a bug');
    expect(await waiting).toBe('not stored');
    await context.idle();
    expect(join()).toBeUndefined();
    expect(context.troubles).toEqual(['fetch: a bug']);
  });

  it('whose client left shares no failure, as only its client ended it', async () => {
    const client = new AbortController();
    const { context, join } = setup(client.signal);
    const fetching = fetchShared(key, context, async () => {
      client.abort();
      return { outcome: OUTCOME };
    });
    const waiting = join();
    await fetching;
    expect(await waiting).toBe('not stored');
  });
});
