import { describe, expect, it } from 'vitest';
import { fakeClock, settled } from '../../test/fakes/effects/clock.ts';
import { refused } from '../../test/fakes/effects/fetch.ts';
import { bytes, modulePath, version } from '../../test/fakes/effects/values.ts';
import { memoryTiers } from '../../test/fakes/mirror/context.ts';
import { Connections } from '../effects/connections.ts';
import type { DurableStore, StoredFile, Upload } from './contract.ts';
import { versionKey } from './key.ts';
import { requestTiers } from './request-tiers.ts';
import { TierHealth } from './tier-health.ts';

const key = versionKey(modulePath('example.com/hello'), version('v1.0.0'), 'mod');
const otherKey = versionKey(modulePath('example.com/hello'), version('v1.1.0'), 'mod');
const file = { bytes: bytes('module m'), etag: '"m"' };
const missing = { status: 404, text: 'no', origin: 'a' } as const;

const never = () => new Promise<never>(() => undefined);
const away = () => Promise.reject(new Error('quota used up'));

/** Isolate-wide health, and the tiers of each of its requests. */
function setup() {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const health = new TierHealth();
  const open = (changed: Partial<typeof tiers> = {}, connections = new Connections()) => {
    const { durable, near, world } = requestTiers(
      { ...tiers, ...changed },
      { clock, connections, health, stallMs: 20_000 },
    );
    if (!durable || !near || !world) throw new Error('a tier is absent');
    return { durable, near, world, connections };
  };
  return { clock, tiers, open };
}

/** How a promise has ended, in a word; `pending` until then. */
function watch(work: Promise<unknown>): { state: string } {
  const seen = { state: 'pending' };
  work.then(
    () => (seen.state = 'done'),
    (error: unknown) => (seen.state = String(error)),
  );
  return seen;
}

describe('a call', () => {
  it('waits for a connection, and its time limit begins when that is free', async () => {
    const { clock, open, tiers } = setup();
    const { connections, durable } = open({ durable: { ...tiers.durable, head: never } });
    const [first] = Array.from({ length: 6 }, () => connections.take());
    const seen = watch(durable.head(key));
    await clock.advance(60_000);
    expect(seen.state).toBe('pending');
    first?.release();
    await clock.advance(4_999);
    expect(seen.state).toBe('pending');
    await clock.advance(1);
    expect(seen.state).toBe('TimeoutError: No result within 5000 ms');
    expect(connections.take().isFree).toBe(true);
  });

  it('is not made after two of the request that never ended, as these hold their connections', async () => {
    const { clock, open, tiers } = setup();
    let calls = 0;
    const pending = Promise.withResolvers<undefined>();
    const silent = { ...tiers.durable, read: () => ((calls += 1), pending.promise) };
    const { durable } = open({ durable: silent });
    for (let at = 0; at < 4; at++) {
      void durable.read(key).catch(() => undefined);
      await clock.advance(5_000);
    }
    expect(calls).toBe(2);
    await expect(durable.read(key)).rejects.toThrow('It does not answer, and is not asked again');
    void open({ durable: silent })
      .durable.read(key)
      .catch(() => undefined);
    expect(calls).toBe(3);
    pending.resolve(undefined);
    await settled();
    expect(await durable.read(key)).toBeUndefined();
  });

  it('that comes late ends the silence of its tier', async () => {
    const { clock, open, tiers } = setup();
    let ms = 6_000;
    const head = async () => {
      await clock.sleep(ms);
      return { size: 1, etag: '"e"' };
    };
    const silent = { durable: { ...tiers.durable, head } };
    const results: unknown[] = [];
    for (let at = 0; at < 3; at++) {
      const answer = open(silent).durable.head(key).catch(String);
      await clock.advance(6_000);
      results.push(await answer);
      ms = 600;
    }
    expect(results[0]).toMatch('No result within 5000 ms');
    expect(results.slice(1)).toEqual([
      { size: 1, etag: '"e"' },
      { size: 1, etag: '"e"' },
    ]);
  });

  it('that comes too late has its stream cancelled', async () => {
    const { clock, open, tiers } = setup();
    let isCancelled = false;
    const body = new ReadableStream<Uint8Array>({ cancel: () => void (isCancelled = true) });
    const late = Promise.withResolvers<StoredFile>();
    const { durable } = open({ durable: { ...tiers.durable, read: () => late.promise } });
    const seen = watch(durable.read(key));
    await clock.advance(5_000);
    expect(seen.state).toMatch('TimeoutError');
    late.resolve({ body, size: 1, etag: '"e"' });
    await settled();
    expect(isCancelled).toBe(true);
  });

  it('that begins an upload too late has it aborted', async () => {
    const { clock, open, tiers } = setup();
    const reasons: unknown[] = [];
    const late = Promise.withResolvers<Upload>();
    const { connections, durable } = open({
      durable: { ...tiers.durable, upload: () => late.promise },
    });
    const seen = watch(durable.upload(key, { etag: '"e"', size: 1 }));
    await clock.advance(5_000);
    expect(seen.state).toMatch('TimeoutError');
    late.resolve({ ...silentUpload(), abort: async (reason) => void reasons.push(reason) });
    await settled();
    expect(reasons.map(String)).toEqual(['Error: The upload started after its time limit']);
    expect(freeConnections(connections)).toBe(6);
  });

  it.each<[string, (store: DurableStore) => Promise<unknown>]>([
    ['write', (store) => store.write(key, file, 'create')],
    ['swap', (store) => store.swap(key, undefined, file)],
    ['remove', (store) => store.remove([key])],
    ['list', (store) => listed(store)],
  ])('of the durable store ends when that never answers: %s', async (name, call) => {
    const { clock, open, tiers } = setup();
    const silent = name === 'list' ? { list: endless } : { [name]: never };
    const seen = watch(call(open({ durable: { ...tiers.durable, ...silent } }).durable));
    await clock.advance(10_000);
    expect(seen.state).toMatch('TimeoutError');
  });
});

async function listed(store: DurableStore): Promise<void> {
  for await (const one of store.list('example.com/')) expect(one).toBeUndefined();
}

async function* endless(): AsyncGenerator<never> {
  yield await never();
}

const silentUpload = (): Upload => ({ write: never, commit: never, abort: never });

function freeConnections(connections: Connections): number {
  const taken = Array.from({ length: 6 }, () => connections.take());
  const free = taken.filter(({ isFree }) => isFree).length;
  for (const connection of taken) connection.release();
  return free;
}

describe('an upload', () => {
  it('of known length has one connection from its start to its end', async () => {
    const { open } = setup();
    for (const end of ['commit', 'abort'] as const) {
      const { connections, durable } = open();
      const upload = await durable.upload(key, { etag: '"e"', size: 2 });
      await upload.write(bytes('ab'));
      expect(freeConnections(connections)).toBe(5);
      await upload[end](new Error('broken'));
      expect(freeConnections(connections)).toBe(6);
    }
  });

  it('in parts has a connection for the time of each call', async () => {
    const { open } = setup();
    const { connections, durable } = open();
    const upload = await durable.upload(key, { etag: '"e"', size: undefined });
    expect(freeConnections(connections)).toBe(6);
    const all = Array.from({ length: 6 }, () => connections.take());
    const seen = watch(upload.write(bytes('ab')));
    await settled();
    expect(seen.state).toBe('pending');
    all[0]?.release();
    await settled();
    expect(seen.state).toBe('done');
    expect(await upload.commit()).toBe(true);
  });

  it.each([2, undefined])(
    'of the length %s gives its connection back when the store is silent',
    async (size) => {
      const { clock, open, tiers } = setup();
      const { connections, durable } = open({
        durable: { ...tiers.durable, upload: async () => silentUpload() },
      });
      const upload = await durable.upload(key, { etag: '"e"', size });
      const written = watch(upload.write(bytes('ab')));
      await clock.advance(10_000);
      expect(written.state).toMatch('TimeoutError');
      const aborted = watch(upload.abort(new Error('broken')));
      await clock.advance(10_000);
      expect(aborted.state).toBe('done'); // it never rejects
      expect(freeConnections(connections)).toBe(6);
    },
  );
});

describe('a tier that was silent once', () => {
  it('has half a second for each further call of the isolate, until it answers', async () => {
    const { clock, open, tiers } = setup();
    const silent = { durable: { ...tiers.durable, head: never } };
    const first = watch(open(silent).durable.head(key));
    await clock.advance(5_000);
    expect(first.state).toMatch('TimeoutError');
    const second = watch(open(silent).durable.head(key));
    await clock.advance(500);
    expect(second.state).toBe('TimeoutError: No result within 500 ms');
    await open().durable.head(key);
    const third = watch(open(silent).durable.head(key));
    await clock.advance(4_999);
    expect(third.state).toBe('pending');
  });

  it('has not answered when an upload begins, which needs no answer', async () => {
    const { clock, open, tiers } = setup();
    const silent = { durable: { ...tiers.durable, head: never } };
    watch(open(silent).durable.head(key));
    await clock.advance(5_000);
    const upload = await open().durable.upload(key, { etag: '"e"', size: 2 });
    await upload.write(bytes('ab'));
    const second = watch(open(silent).durable.head(key));
    await clock.advance(500);
    expect(second.state).toMatch('TimeoutError');
  });

  it('does not shorten the time of another one', async () => {
    const { clock, open, tiers } = setup();
    watch(open({ world: { ...tiers.world, read: never } }).world.read(key));
    await clock.advance(5_000);
    const seen = watch(open({ durable: { ...tiers.durable, head: never } }).durable.head(key));
    await clock.advance(4_999);
    expect(seen.state).toBe('pending');
  });
});

const LIFE = { asOf: 0, seconds: 86_400 };

describe('a cache tier that refuses files', () => {
  it('fails once, and is not written to for a minute, then two, and so on', async () => {
    const { clock, open, tiers } = setup();
    let tries = 0;
    const refusing = () => {
      tries += 1;
      return away();
    };
    const failures: number[] = [];
    for (let minute = 0; minute < 20; minute++) {
      const { world } = open({ world: { ...tiers.world, write: refusing } });
      for (let at = 0; at < 3; at++)
        await world.write(key, file, LIFE).catch(() => void failures.push(minute));
      await clock.advance(60_000);
    }
    expect(failures).toEqual([0, 1, 3, 7, 15]);
    expect(tries).toBe(failures.length);
  });

  it('is tried again after midnight UTC, when a new day of quotas begins', async () => {
    const { clock, open, tiers } = setup();
    const refusing = { world: { ...tiers.world, write: away } };
    const MINUTE = 60_000;
    // The last refusal is at 17:03, and its pause would end at 10:07 of the next day.
    for (const minutes of [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 0]) {
      await expect(open(refusing).world.write(key, file, LIFE)).rejects.toThrow('quota');
      await clock.advance(minutes * MINUTE);
    }
    const untilMidnight = 86_400_000 - (clock.now() % 86_400_000);
    await clock.advance(untilMidnight - 1);
    await open().world.write(key, file, LIFE);
    expect(tiers.world.files.size).toBe(0);
    await clock.advance(1);
    await open().world.write(key, file, LIFE);
    expect(tiers.world.files.size).toBe(1);
  });

  it('fails once for several writes at the same time', async () => {
    const { open, tiers } = setup();
    const { world } = open({ world: { ...tiers.world, write: away } });
    const ends = await Promise.allSettled([1, 2, 3].map(() => world.write(key, file, LIFE)));
    expect(ends.filter(({ status }) => status === 'rejected').length).toBe(1);
  });

  it('is still read and cleared, and a write that succeeds ends the doubling', async () => {
    const { clock, open, tiers } = setup();
    const refusing = { near: { ...tiers.near, write: away } };
    await expect(open(refusing).near.write(key, file, LIFE)).rejects.toThrow('quota');
    await open().near.writeMissing(key, missing, LIFE);
    expect(await open().near.read(key)).toBeUndefined();
    await clock.advance(60_000);
    await open().near.write(key, file, LIFE);
    expect(await open().near.read(key)).toMatchObject({ file: { etag: '"m"' } });
    await expect(open(refusing).near.write(key, file, LIFE)).rejects.toThrow('quota');
    await clock.advance(60_000);
    await expect(open(refusing).near.write(key, file, LIFE)).rejects.toThrow('quota');
  });

  it('does not refuse by a call that the platform did not allow', async () => {
    const { open, tiers } = setup();
    const { world } = open({ world: { ...tiers.world, write: refused } });
    await expect(world.write(key, file, LIFE)).rejects.toThrow('allows no more calls');
    await open().world.write(key, file, LIFE);
    expect(tiers.world.files.size).toBe(1);
  });
});

describe('a request that has made forty of fifty external calls', () => {
  it('writes nothing to the near tier, still reads it, and writes to the others', async () => {
    const { open, tiers } = setup();
    await tiers.near.writeMissing(key, missing, LIFE);
    const connections = new Connections({ externalCalls: 50 });
    const { durable, near, world } = open({}, connections);
    for (let at = 0; at < 39; at++) await near.read(key);
    expect(await near.read(key)).toMatchObject({ missing });
    await near.write(key, file, LIFE);
    expect(await tiers.near.read(key)).toMatchObject({ missing });
    await near.writeMissing(otherKey, missing, LIFE);
    expect(await tiers.near.read(otherKey)).toBeUndefined();
    await world.write(key, file, LIFE);
    await durable.write(key, file, 'create');
    expect([tiers.world.files.size, tiers.durable.files.size]).toEqual([1, 1]);
  });
});
