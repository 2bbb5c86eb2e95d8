import { describe, expect, it, vi } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { bytes, modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { fakeContext, memoryTiers, untilDone } from '../../test/fakes/mirror/context.ts';
import { bytesOf } from '../bytes/streams.ts';
import { versionKey } from './key.ts';
import { MAX_NEAR_BYTES } from './copies.ts';
import type { Keeping } from './layered.ts';
import type { Hit, NegativeHit, Tiers } from './tiers.ts';

const key = versionKey(modulePath('example.com/hello'), version('v1.0.0'), 'mod');
const file = (content: string) => ({ bytes: bytes(content), etag: `"${content}"` });
const LIFE = { asOf: 0, seconds: 86_400 };
const missing = { status: 404, text: 'no', origin: 'a' } as const;

const IMMUTABLE: Keeping = { inWorldTier: true, durable: 'create' };
const LAST_GOOD: Keeping = { inWorldTier: false, nearSeconds: 60, durable: 'if-changed' };

function layered(tiers?: Tiers) {
  const clock = fakeClock();
  const all = memoryTiers(clock);
  const context = fakeContext({ clock, tiers: tiers ?? all });
  return { ...all, clock, store: context.store, context };
}

async function shown(hit: Hit | NegativeHit | undefined): Promise<string | undefined> {
  return hit?.kind === 'file'
    ? `${text(await bytesOf(hit.file.body))} ${hit.file.etag} ${hit.tier}`
    : undefined;
}

const reject = () => Promise.reject(new Error('tier is away'));

/** A tier of which every call rejects. */
function failing<T extends { readonly label: string }>(tier: T): T {
  return new Proxy(tier, {
    get: (_, name) => (name === 'label' ? tier.label : reject),
  });
}

/** A stored file whose body breaks off. */
function breaking() {
  const body = new ReadableStream({
    type: 'bytes',
    pull: (controller) => controller.error(new Error('connection lost')),
  });
  return { body, size: 1, etag: '"x"' };
}

describe('a small file', () => {
  it('is found in the nearest tier that has it', async () => {
    const { store, near, world, durable } = layered();
    expect(await store.find(key, { inWorldTier: true })).toBeUndefined();
    await durable.write(key, file('far'), 'create');
    await world.write(key, file('nearer'), LIFE);
    await near.write(key, file('near'), LIFE);
    expect(await shown(await store.find(key, { inWorldTier: true }))).toBe('near "near" edge');
  });

  it.each([
    // Copies in the world tier expire.
    ['durable', 'r2', true, true],
    ['durable', 'r2', false, false],
    ['world', 'kv', true, true],
  ] as const)(
    'found in the %s tier (%s; the world tier holds its kind: %s) is copied to the faster ones',
    async (tier, label, inWorldTier, isInWorldTier) => {
      const { store, context, near, world, durable } = layered();
      if (tier === 'durable') await durable.write(key, file('x'), 'create');
      else await world.write(key, file('x'), LIFE);
      expect(await shown(await store.find(key, { inWorldTier }))).toBe(`x "x" ${label}`);
      await context.idle();
      expect([near.files.has(key), world.files.has(key)]).toEqual([true, isInWorldTier]);
      expect(await shown(await store.find(key, { inWorldTier }))).toBe('x "x" edge');
    },
  );

  it('of a kind that the world tier does not hold is not looked for there', async () => {
    const { store, world } = layered();
    await world.write(key, file('x'), LIFE);
    expect(await store.find(key, { inWorldTier: false })).toBeUndefined();
  });

  it('is kept in the near tier for its seconds only', async () => {
    const { store, clock, near, context } = layered();
    await store.keep(key, file('x'), { inWorldTier: false, nearSeconds: 60, durable: 'create' });
    await context.idle();
    await clock.advance(59_999);
    expect(await near.read(key)).toBeDefined();
    await clock.advance(1);
    expect(await near.read(key)).toBeUndefined();
  });

  it('that is kept is never replaced in the durable tier', async () => {
    const { store, durable } = layered();
    await store.keep(key, file('first'), IMMUTABLE);
    await store.keep(key, file('second'), IMMUTABLE);
    expect(durable.files.get(key)?.etag).toBe('"first"');
  });

  it('over 8 MiB is not kept in the near tier', async () => {
    const { store, near, context } = layered();
    expect(MAX_NEAR_BYTES).toBe(8 * 1024 * 1024);
    store.keepNear(key, { bytes: new Uint8Array(MAX_NEAR_BYTES + 1), etag: '"big"' });
    await context.idle();
    expect(near.files.size).toBe(0);
  });
});

describe("a file for modferry's own use", () => {
  it('is in the durable tier alone', async () => {
    const { context, durable, near, store, world } = layered();
    await store.keepOwn(key, file('x'), 'create');
    await context.idle();
    expect(await store.findOwn(key)).toMatchObject(file('x'));
    expect(durable.files.has(key)).toBe(true);
    expect([near.files.size, world.files.size]).toEqual([0, 0]);
    await store.keepOwn(key, file('y'), 'create');
    expect(await store.findOwn(key)).toMatchObject(file('x'));
    await store.keepOwn(key, file('y'), 'replace');
    expect(await store.findOwn(key)).toMatchObject(file('y'));
  });

  it('is not looked for in the near tier, unless there is no durable one', async () => {
    const { near, store } = layered();
    await near.write(key, file('x'), LIFE);
    expect(await store.findOwn(key)).toBeUndefined();
    const alone = layered({ near });
    expect(await alone.store.findOwn(key)).toMatchObject(file('x'));
    await alone.store.keepOwn(key, file('y'), 'create');
    await alone.context.idle();
    expect(await alone.store.findOwn(key)).toMatchObject(file('y'));
  });
});

describe('a write to the durable tier', () => {
  it('tells whether the file is there by this write', async () => {
    const { store } = layered();
    expect(await store.write(key, file('x'), 'create')).toBe(true);
    expect(await store.write(key, file('y'), 'create')).toBe(false);
    expect(await store.write(key, file('y'), 'replace')).toBe(true);
  });

  it('is undefined where that tier is absent or fails', async () => {
    expect(await layered({}).store.write(key, file('x'), 'create')).toBeUndefined();
    const { store, context } = layered({ durable: failing(memoryTiers(fakeClock()).durable) });
    expect(await store.write(key, file('x'), 'create')).toBeUndefined();
    expect(context.troubles).toEqual(['r2: tier is away']);
  });
});

describe('a tier that is absent', () => {
  it.each([
    [['near']],
    [['world']],
    [['durable']],
    [['near', 'world']],
    [['near', 'world', 'durable']],
  ])('%j: nothing fails', async (absent) => {
    const tiers = memoryTiers(fakeClock());
    const rest = Object.fromEntries(
      Object.entries(tiers).filter(([name]) => !absent.includes(name)),
    );
    const isDurable = !absent.includes('durable');
    const { store, context } = layered(rest);
    await store.keep(key, file('x'), IMMUTABLE);
    await store.keep(key, file('x'), LAST_GOOD);
    store.keepMissing(key, { status: 404, text: '', origin: 'a' }, 30);
    await context.idle();
    expect((await store.find(key, { inWorldTier: true })) !== undefined).toBe(absent.length < 3);
    await store.large.find(key);
    await store.large.find(key, { select: () => ({ offset: 0, length: 1 }) });
    expect(await store.list('')).toEqual(isDurable ? [{ key, size: 1 }] : []);
    expect(store.durableLabel).toBe(isDurable ? 'r2' : undefined);
    const upload = await store.large.upload(key, { etag: '"x"', size: 1 });
    expect(upload !== undefined).toBe(isDurable);
    expect(context.troubles).toEqual([]);
  });
});

describe('a tier that fails', () => {
  it.each([
    ['near', 'r2', ['edge: tier is away', 'write edge: tier is away']],
    ['world', 'r2', ['kv: tier is away', 'write kv: tier is away']],
  ] as const)('%s has nothing, is reported, and %s answers', async (bad, good, troubles) => {
    const tiers = memoryTiers(fakeClock());
    await tiers.durable.write(key, file('x'), 'create');
    const broken = bad === 'near' ? { near: failing(tiers.near) } : { world: failing(tiers.world) };
    const { store, context } = layered({ ...tiers, ...broken });
    expect(await shown(await store.find(key, { inWorldTier: true }))).toBe(`x "x" ${good}`);
    await context.idle();
    expect(context.troubles).toEqual(troubles);
  });

  it('in the middle of a body has nothing, and the next one answers', async () => {
    const tiers = memoryTiers(fakeClock());
    await tiers.durable.write(key, file('x'), 'create');
    const near = { ...tiers.near };
    near.read = async () => ({ kind: 'file', asOf: 0, file: breaking() });
    const { store, context } = layered({ ...tiers, near });
    const hit = await store.findWhole(key, { inWorldTier: true });
    expect(hit && `${text(hit.file.bytes)} ${hit.tier}`).toBe('x r2');
    expect(context.troubles).toEqual(['edge: connection lost']);
  });

  it('in the middle of every durable body is a miss, and rejects nothing', async () => {
    const { durable } = memoryTiers(fakeClock());
    const { store } = layered({ durable: { ...durable, read: async () => breaking() } });
    expect(await store.find(key, { inWorldTier: true })).toBeUndefined();
    expect(await store.findDurable(key)).toBeUndefined();
    expect(await store.findOwn(key)).toBeUndefined();
    expect(await store.large.readHash(key)).toBeUndefined();
  });

  it('by not answering counts as one that has nothing after five seconds', async () => {
    const tiers = memoryTiers(fakeClock());
    await tiers.durable.write(key, file('x'), 'create');
    const { store, context, clock } = layered({
      ...tiers,
      near: { ...tiers.near, read: () => new Promise<undefined>(() => undefined) },
    });
    const found = store.find(key, { inWorldTier: false });
    await clock.advance(5_000);
    expect(await shown(await found)).toBe('x "x" r2');
    expect(context.troubles).toEqual(['edge: No result within 5000 ms']);
  });

  it('is a miss where all three fail, and no write rejects', async () => {
    const { near, world, durable } = memoryTiers(fakeClock());
    const { store, context } = layered({
      near: failing(near),
      world: failing(world),
      durable: failing(durable),
    });
    expect(await store.find(key, { inWorldTier: true })).toBeUndefined();
    expect(await store.large.find(key)).toBeUndefined();
    expect(await store.large.find(key, { select: () => 'whole' })).toBeUndefined();
    expect(await store.findNear(key)).toBeUndefined();
    expect(await store.findDurable(key)).toBeUndefined();
    expect(await store.findRememberedMissing(key)).toBeUndefined();
    expect(await store.large.readFrom(key, 0, { size: 1, etag: '"x"' })).toBeUndefined();
    expect(await store.large.upload(key, { etag: '"x"', size: 1 })).toBeUndefined();
    await store.keep(key, file('x'), IMMUTABLE);
    await store.keep(key, file('x'), LAST_GOOD);
    await store.remove(key);
    await untilDone(context.clock, context.idle());
    expect(new Set(context.troubles.map((trouble) => trouble.split(':')[0]))).toEqual(
      new Set(['edge', 'kv', 'r2', 'write edge', 'write kv']),
    );
  });
});

describe('a last good copy', () => {
  it('is not replaced by an empty file, and replaces one', async () => {
    const { store } = layered();
    await store.keep(key, file(''), LAST_GOOD);
    await store.keep(key, file('v1.0.0'), LAST_GOOD);
    await store.keep(key, file(''), LAST_GOOD);
    expect(await shown(await store.findDurable(key))).toBe('v1.0.0 "v1.0.0" r2');
    expect(await shown(await store.findNear(key))).toBe(' "" edge');
  });

  it('is written only when it changed', async () => {
    const { store, durable } = layered();
    const write = vi.spyOn(durable, 'write');
    await store.keep(key, file('one'), LAST_GOOD);
    await store.keep(key, file('one'), LAST_GOOD);
    expect(write).toHaveBeenCalledTimes(1);
    await store.keep(key, file('two'), LAST_GOOD);
    expect(write).toHaveBeenCalledTimes(2);
    expect(await shown(await store.findDurable(key))).toBe('two "two" r2');
  });

  it('is in the near tier for its seconds, and in the durable tier when these are over', async () => {
    const { store, clock, context } = layered();
    await store.keep(key, file('one'), LAST_GOOD);
    await context.idle();
    expect(await shown(await store.findNear(key))).toBe('one "one" edge');
    await clock.advance(60_000);
    expect(await store.findNear(key)).toBeUndefined();
    expect(await shown(await store.findDurable(key))).toBe('one "one" r2');
  });
});

describe('a file that is checked', () => {
  const checked = { ...file('x'), checked: 'h1:right' } as const;

  it.each([
    ['world', 'kv'],
    ['durable', 'r2'],
  ] as const)(
    'keeps its check on its way from the %s tier (%s) to the near one',
    async (from, tier) => {
      const { store, context, world, durable } = layered();
      await (from === 'world'
        ? world.write(key, checked, LIFE)
        : durable.write(key, checked, 'create'));
      const found = await store.find(key, { inWorldTier: true, checkedOnly: true });
      expect(found).toMatchObject({ tier, file: { checked: 'h1:right' } });
      await context.idle();
      const again = await store.find(key, { inWorldTier: true, checkedOnly: true });
      expect(again).toMatchObject({ tier: 'edge', file: { checked: 'h1:right' } });
    },
  );

  it('is copied to faster tiers, and one that is not is left where it is', async () => {
    const { store, context, near, durable } = layered();
    await durable.write(key, file('x'), 'create');
    const hit = await store.find(key, { inWorldTier: true, checkedOnly: true });
    expect(await shown(hit)).toBe('x "x" r2');
    await context.idle();
    expect(near.files.size).toBe(0);
  });

  it('takes the place of the copy in every tier', async () => {
    const { store, context, near, world, durable } = layered();
    await store.keep(key, file('old'), IMMUTABLE);
    await store.keep(key, checked, { inWorldTier: true, durable: 'replace' });
    await context.idle();
    const right = { etag: '"x"', checked: 'h1:right' };
    expect(await durable.read(key)).toMatchObject(right);
    for (const tier of [near, world]) {
      expect(await tier.read(key)).toMatchObject({ file: right });
    }
  });

  it('by databases without a record of it is so marked in the near tier alone', async () => {
    const { store, context, near, world, durable } = layered();
    await store.keep(key, { ...file('x'), checked: 'uncovered' }, IMMUTABLE);
    await context.idle();
    expect(await near.read(key)).toMatchObject({ file: { checked: 'uncovered' } });
    expect([world.files.size, durable.files.get(key)?.checked]).toEqual([0, undefined]);
  });
});

it('a file that is removed is gone from every tier', async () => {
  const { store, context, near, world, durable } = layered();
  await store.keep(key, file('x'), IMMUTABLE);
  await context.idle();
  await store.remove(key);
  expect([near, world, durable].map(({ files }) => files.has(key))).toEqual([false, false, false]);
});

it('a file that cannot be removed is tried twice, and keeps its copies: they would come back', async () => {
  const tiers = memoryTiers(fakeClock());
  let tries = 0;
  const remove = () => {
    tries += 1;
    return Promise.reject(new Error('503'));
  };
  const { store, context, near } = layered({ ...tiers, durable: { ...tiers.durable, remove } });
  await store.keep(key, file('x'), IMMUTABLE);
  await context.idle();
  await store.remove(key);
  expect([tries, tiers.near.files.has(key)]).toEqual([2, true]);
  expect(near.files.size).toBe(0);
});

it('a swap that no durable tier can make counts as made: no other write can contradict it', async () => {
  const { store } = layered({});
  expect(await store.readForSwap(key)).toBeUndefined();
  expect(await store.swap(key, undefined, file('x'))).toBe(true);
});

it('a swap that fails is not made', async () => {
  const tiers = memoryTiers(fakeClock());
  const { store } = layered({ ...tiers, durable: failing(tiers.durable) });
  expect(await store.swap(key, undefined, file('x'))).toBe(false);
});

describe('a "not found" of an origin', () => {
  it('is a negative entry for its seconds', async () => {
    const { store, clock, context } = layered();
    store.keepMissing(key, missing, 30);
    await context.idle();
    expect(await store.find(key, { inWorldTier: true })).toMatchObject({ missing, tier: 'edge' });
    await clock.advance(30_000);
    expect(await store.find(key, { inWorldTier: true })).toBeUndefined();
  });

  it('is remembered for outages for a month, with the time at which it was given', async () => {
    const { store, clock, context } = layered();
    const asOf = clock.now();
    store.rememberMissing(key, missing);
    await context.idle();
    await clock.advance(30 * 86_400_000 - 1);
    expect(await store.findRememberedMissing(key)).toMatchObject({ missing, asOf, tier: 'edge' });
    await clock.advance(1);
    expect(await store.findRememberedMissing(key)).toBeUndefined();
  });
});
