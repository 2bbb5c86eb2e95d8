import { describe, expect, it } from 'vitest';
import { type FakeClock, fakeClock, settled } from '../fakes/effects/clock.ts';
import { noFaults } from './faults.ts';
import { currentInvocation, Invocation, runInvocation } from './invocation.ts';
import { FREE } from './limits.ts';
import { memoryBucket } from './memory/bucket.ts';
import { edgeInMemory } from './memory/edge.ts';
import { type MemoryNamespace, memoryNamespace } from './memory/namespace.ts';
import { externalOf } from './operations.ts';
import { limitedBucket, limitedCache, limitedFetch, limitedNamespace } from './wrap.ts';
import { WriteLimits } from './write-limits.ts';

// The stand-in for the platform has the platform's limits.

const ADDRESS = 'https://cache.example/a';
const text = () => new Response('text', { headers: { 'Cache-Control': 'max-age=60' } });

function setup({ limits = FREE, clock = fakeClock() } = {}) {
  const faults = noFaults();
  const platform = { clock, faults, writes: new WriteLimits(limits, clock) };
  const invocation = new Invocation(limits, clock);
  return {
    clock,
    faults,
    invocation,
    fetch: limitedFetch(async () => text()),
    cache: limitedCache(edgeInMemory(clock), platform),
    bucket: limitedBucket(memoryBucket(), platform),
    namespace: limitedNamespace(memoryNamespace(clock).seenFrom('A'), platform),
    run: <T>(handler: () => Promise<T>) => runInvocation(invocation, handler),
  };
}

/** `resolved`, `rejected` or `waiting`, as soon as nothing more happens without time. */
async function stateOf(work: Promise<unknown>, clock?: FakeClock, ms = 0): Promise<string> {
  let state = 'waiting';
  work.then(
    () => (state = 'resolved'),
    () => (state = 'rejected'),
  );
  await (clock ? clock.advance(ms) : settled());
  return state;
}

describe('the connections of an invocation', () => {
  it('are six until the headers arrive, and the seventh call waits', async () => {
    const { invocation } = setup();
    const answers = Array.from({ length: 7 }, () => Promise.withResolvers<void>());
    const started: number[] = [];
    const calls = answers.map(({ promise }, at) =>
      invocation.call(at % 2 === 0 ? 'fetch' : 'r2Read', () => {
        started.push(at);
        return promise;
      }),
    );
    await settled();
    expect(started).toEqual([0, 1, 2, 3, 4, 5]);
    answers[3]?.resolve();
    await settled();
    expect(started).toEqual([0, 1, 2, 3, 4, 5, 6]);
    for (const { resolve } of answers) resolve();
    await Promise.all(calls);
    expect(invocation.mostWaiting).toBe(1);
  });

  it('are not waited for by a call that is aborted', async () => {
    const { invocation } = setup();
    const answer = Promise.withResolvers<void>();
    for (let at = 0; at < 6; at++) void invocation.call('fetch', () => answer.promise);
    const abort = new AbortController();
    const seventh = invocation.call('fetch', async () => undefined, abort.signal);
    seventh.catch(() => undefined);
    const eighth = invocation.call('fetch', async () => 'done');
    await settled();
    abort.abort(new Error('enough'));
    await expect(seventh).rejects.toThrow('enough');
    answer.resolve();
    expect(await eighth).toBe('done');
  });

  it('are held by a put of a stream until the stream ends', async () => {
    const { cache, invocation, run } = setup();
    const bodies = Array.from({ length: 6 }, () => new TransformStream<Uint8Array, Uint8Array>());
    const headers = { 'Cache-Control': 'max-age=60' };
    const puts = bodies.map(({ readable }) =>
      run(() => cache.put(ADDRESS, new Response(readable, { headers }))),
    );
    const match = run(() => cache.match(ADDRESS));
    expect(await stateOf(match)).toBe('waiting');
    for (const { writable } of bodies) void writable.close();
    await Promise.all(puts);
    await match;
    expect(invocation.counts).toMatchObject({ cachePut: 6, cacheMatch: 1 });
  });
});

describe('the calls of an invocation', () => {
  it('to the outside are fifty on the free plan, with those to the edge cache', async () => {
    const { cache, fetch, invocation, run } = setup();
    for (let at = 0; at < 25; at++) {
      await run(() => fetch(ADDRESS, {}));
      await run(() => cache.match(ADDRESS));
    }
    const message = /^Too many subrequests by single Worker invocation/;
    await expect(run(() => fetch(ADDRESS, {}))).rejects.toThrow(message);
    await expect(run(() => cache.put(ADDRESS, text()))).rejects.toThrow(message);
    expect({ external: externalOf(invocation.counts), refused: invocation.refused }).toEqual({
      external: 50,
      refused: 2,
    });
  });

  it('to R2 and KV are a thousand, and do not count to the fifty', async () => {
    const { bucket, cache, namespace, run } = setup();
    for (let at = 0; at < 500; at++) {
      await run(() => bucket.head('a'));
      await run(() => namespace.getWithMetadata('a', 'text'));
    }
    await expect(run(() => bucket.head('a'))).rejects.toThrow('Too many API requests');
    await expect(run(() => cache.match(ADDRESS))).resolves.toBeUndefined();
  });

  it('belong to the invocation that made them, also after a wait', async () => {
    const { clock, run } = setup();
    const found = run(async () => {
      await clock.sleep(1000);
      return currentInvocation();
    });
    await runInvocation(new Invocation(FREE, clock), () => clock.advance(1000));
    expect((await found).counts).toMatchObject({ fetch: 0 });
    expect(() => currentInvocation()).toThrow('global scope');
  });

  it('never settle once the platform has ended it, 30 s after the answer', async () => {
    const { clock, fetch, invocation, run } = setup();
    const answer = Promise.withResolvers<void>();
    const open = run(() => currentInvocation().call('r2Read', () => answer.promise));
    invocation.answered();
    expect(await stateOf(open, clock, 29_999)).toBe('waiting');
    expect(invocation.ended.aborted).toBe(false);
    await clock.advance(1);
    expect(invocation.ended.aborted).toBe(true);
    answer.resolve();
    expect(await stateOf(open)).toBe('waiting');
    expect(await stateOf(run(() => fetch(ADDRESS, {})))).toBe('waiting');
  });
});

describe('a key', () => {
  it('of R2 is written once a second, and the second put is 429', async () => {
    const { bucket, clock, run } = setup();
    const put = (key: string) => run(() => bucket.put(key, 'text'));
    await put('a');
    await put('b');
    await expect(put('a')).rejects.toThrow('Reduce your concurrent request rate');
    await clock.advance(1000);
    await put('a');
  });

  it('of KV is written once a second, and the second put is 429', async () => {
    const { clock, namespace, run } = setup();
    const put = (key: string) => run(() => namespace.put(key, 'text'));
    await put('a');
    await expect(put('a')).rejects.toThrow('429');
    await clock.advance(1000);
    await put('a');
  });

  it('of KV is written a thousand times a day on the free plan, all keys together', async () => {
    const { clock, namespace } = setup();
    const put = (key: string) =>
      runInvocation(new Invocation(FREE, clock), () => namespace.put(key, 'text'));
    for (let at = 0; at < 1000; at++) await put(`key ${at}`);
    await expect(put('one more')).rejects.toThrow('limit exceeded for the day');
    await clock.advance(86_400_000);
    await put('one more');
  });

  it('of KV has at most 512 bytes, and a value 25 MiB and a lifetime from a minute on', async () => {
    const { namespace, run } = setup();
    const large = new Uint8Array(25 * 1024 * 1024 + 1);
    await expect(run(() => namespace.put('large', large))).rejects.toThrow('413');
    await expect(run(() => namespace.put('k'.repeat(513), ''))).rejects.toThrow('414');
    await expect(run(() => namespace.put('k', '', { expirationTtl: 59 }))).rejects.toThrow('400');
  });
});

const read = async (view: ReturnType<MemoryNamespace['seenFrom']>) =>
  (await view.getWithMetadata('key', 'text')).value;

describe('KV', () => {
  it('shows a write in its own data centre at once, and in another one after a minute', async () => {
    const clock = fakeClock();
    const namespace = memoryNamespace(clock);
    const [a, b, c] = ['A', 'B', 'C'].map((name) => namespace.seenFrom(name));
    if (!a || !b || !c) throw new Error('no data centres');
    await a.put('key', 'text');
    expect(await read(a)).toBe('text');
    await clock.advance(59_000);
    expect(await read(b)).toBe(null);
    await clock.advance(1000);
    expect(await read(c)).toBe('text');
    // The absence was cached.
    expect(await read(b)).toBe(null);
    await clock.advance(59_000);
    expect(await read(b)).toBe('text');
  });
});
