import { describe, expect, it, vi } from 'vitest';
import { fakeCarrier, memoryTiers } from '../../test/fakes/effects/carrier.ts';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { bytes, modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { versionKey } from './key.ts';
import { bytesOf } from './guard.ts';
import type { Hit, Tiers } from './layered.ts';

const key = versionKey(modulePath('example.com/hello'), version('v1.0.0'), 'mod');
const file = (said: string) => ({ bytes: bytes(said), etag: `"${said}"` });

function layered(tiers?: Tiers) {
  const clock = fakeClock();
  const all = memoryTiers(clock);
  const carrier = fakeCarrier({ clock, tiers: tiers ?? all });
  return { ...all, clock, store: carrier.store, carrier };
}

async function shown(hit: Hit | undefined): Promise<string | undefined> {
  return hit && `${text(await bytesOf(hit.file.body))} ${hit.file.etag} ${hit.tier}`;
}

/** A tier of which every call rejects. */
function failing<T extends object>(tier: T): T {
  return new Proxy(tier, { get: () => () => Promise.reject(new Error('tier is away')) });
}

describe('a small file', () => {
  it('is found in the nearest tier that has it', async () => {
    const { store, edge, kv, r2 } = layered();
    expect(await store.findSmall(key, { kv: true })).toBeUndefined();
    await r2.write(key, file('far'), 'create');
    await kv.write(key, file('nearer'));
    await edge.write(key, file('near'));
    expect(await shown(await store.findSmall(key, { kv: true }))).toBe('near "near" edge');
  });

  it.each([
    // To KV a file goes once, when it is first kept: a data centre that still believes in a miss
    // would write it anew.
    ['r2', true, false],
    ['r2', false, false],
    ['kv', true, true],
  ] as const)(
    'found in %s (kv holds its kind: %s) is copied to the faster tiers',
    async (tier, kvHolds, inKv) => {
      const { store, carrier, edge, kv, r2 } = layered();
      if (tier === 'r2') await r2.write(key, file('x'), 'create');
      else await kv.write(key, file('x'));
      expect(await shown(await store.findSmall(key, { kv: kvHolds }))).toBe(`x "x" ${tier}`);
      await carrier.idle();
      expect([edge.files.has(key), kv.files.has(key)]).toEqual([true, inKv]);
      expect(await shown(await store.findSmall(key, { kv: kvHolds }))).toBe('x "x" edge');
    },
  );

  it('of a kind that KV does not hold is not asked of KV', async () => {
    const { store, kv } = layered();
    await kv.write(key, file('x'));
    expect(await store.findSmall(key, { kv: false })).toBeUndefined();
  });

  it('is kept at the edge for its seconds only', async () => {
    const { store, clock, edge, carrier } = layered();
    await store.keep(key, file('x'), { kv: false, seconds: 60 });
    await carrier.idle();
    await clock.advance(59_999);
    expect(await edge.read(key)).toBeDefined();
    await clock.advance(1);
    expect(await edge.read(key)).toBeUndefined();
  });

  it('that is kept is never replaced in R2', async () => {
    const { store, r2 } = layered();
    await store.keep(key, file('first'), { kv: true });
    await store.keep(key, file('second'), { kv: true });
    expect(r2.files.get(key)?.etag).toBe('"first"');
  });
});

describe('a tier that is absent', () => {
  it.each([[['edge']], [['kv']], [['r2']], [['edge', 'kv']], [['edge', 'kv', 'r2']]])(
    '%j: nothing breaks',
    async (absent) => {
      const tiers = memoryTiers(fakeClock());
      const rest = Object.fromEntries(
        Object.entries(tiers).filter(([name]) => !absent.includes(name)),
      );
      const { store, carrier } = layered(rest);
      await store.keep(key, file('x'), { kv: true });
      await store.keepLastGood(key, file('x'), 60);
      store.keepMissing(key, { status: 404, text: '', origin: 'a' }, 30);
      await carrier.idle();
      expect((await store.findSmall(key, { kv: true })) !== undefined).toBe(absent.length < 3);
      await store.large.find(key);
      await store.large.find(key, { select: () => ({ offset: 0, length: 1 }) });
      expect(await store.keys('')).toEqual(absent.includes('r2') ? [] : [key]);
      expect((await store.large.upload(key, { etag: '"x"', size: 1 })) === undefined).toBe(
        absent.includes('r2'),
      );
      expect(carrier.reports).toEqual([]);
    },
  );
});

describe('a tier that fails', () => {
  it.each([
    ['edge', 'r2', ['edge: tier is away', 'write edge: tier is away']],
    ['kv', 'r2', ['kv: tier is away']],
  ] as const)('%s has nothing, is reported, and %s answers', async (bad, good, reports) => {
    const tiers = memoryTiers(fakeClock());
    await tiers.r2.write(key, file('x'), 'create');
    const { store, carrier } = layered({ ...tiers, [bad]: failing(tiers[bad]) });
    expect(await shown(await store.findSmall(key, { kv: true }))).toBe(`x "x" ${good}`);
    await carrier.idle();
    expect(carrier.reports).toEqual(reports);
  });

  it('hangs for five seconds at most, and is then one that has nothing', async () => {
    const tiers = memoryTiers(fakeClock());
    await tiers.r2.write(key, file('x'), 'create');
    const { store, carrier, clock } = layered({
      ...tiers,
      edge: { ...tiers.edge, read: () => new Promise<undefined>(() => undefined) },
    });
    const found = store.findSmall(key, { kv: false });
    await clock.advance(5_000);
    expect(await shown(await found)).toBe('x "x" r2');
    expect(carrier.reports).toEqual(['edge: No result within 5000 ms']);
  });

  it('of all three is a miss, and writing never rejects', async () => {
    const { edge, kv, r2 } = memoryTiers(fakeClock());
    const { store, carrier } = layered({ edge: failing(edge), kv: failing(kv), r2: failing(r2) });
    expect(await store.findSmall(key, { kv: true })).toBeUndefined();
    expect(await store.large.find(key)).toBeUndefined();
    expect(await store.large.find(key, { select: () => undefined })).toBeUndefined();
    expect(await store.findFresh(key)).toBeUndefined();
    expect(await store.findLastGood(key)).toBeUndefined();
    expect(await store.findMissing(key)).toBeUndefined();
    expect(await store.large.readFrom(key, 0, { size: 1, etag: '"x"' })).toBeUndefined();
    expect(await store.large.upload(key, { etag: '"x"', size: 1 })).toBeUndefined();
    await store.keep(key, file('x'), { kv: true });
    await store.keepLastGood(key, file('x'), 60);
    await carrier.idle();
    expect(new Set(carrier.reports.map((report) => report.split(':')[0]))).toEqual(
      new Set(['edge', 'kv', 'r2', 'write edge', 'write kv']),
    );
  });
});

describe('a last good copy', () => {
  it('is written only when it changed', async () => {
    const { store, r2 } = layered();
    const write = vi.spyOn(r2, 'write');
    await store.keepLastGood(key, file('one'), 60);
    await store.keepLastGood(key, file('one'), 60);
    expect(write).toHaveBeenCalledTimes(1);
    await store.keepLastGood(key, file('two'), 60);
    expect(write).toHaveBeenCalledTimes(2);
    expect(await shown(await store.findLastGood(key))).toBe('two "two" r2');
  });

  it('is fresh at the edge for its seconds, and there when these are over', async () => {
    const { store, clock, carrier } = layered();
    await store.keepLastGood(key, file('one'), 60);
    await carrier.idle();
    expect(await shown(await store.findFresh(key))).toBe('one "one" edge');
    await clock.advance(60_000);
    expect(await store.findFresh(key)).toBeUndefined();
    expect(await shown(await store.findLastGood(key))).toBe('one "one" r2');
  });
});

describe('a file that is checked', () => {
  const checked = { ...file('x'), checked: 'h1:right' } as const;

  it.each(['kv', 'r2'] as const)('keeps its mark on its way from %s to the edge', async (tier) => {
    const { store, carrier, kv, r2 } = layered();
    await (tier === 'kv' ? kv.write(key, checked) : r2.write(key, checked, 'create'));
    const found = await store.findSmall(key, { kv: true, checkedOnly: true });
    expect(found).toMatchObject({ tier, file: { checked: 'h1:right' } });
    await carrier.idle();
    const again = await store.findSmall(key, { kv: true, checkedOnly: true });
    expect(again).toMatchObject({ tier: 'edge', file: { checked: 'h1:right' } });
  });

  it('is copied to faster tiers, and one that is not is left where it is', async () => {
    const { store, carrier, edge, r2 } = layered();
    await r2.write(key, file('x'), 'create');
    expect(await shown(await store.findSmall(key, { kv: true, checkedOnly: true }))).toBe(
      'x "x" r2',
    );
    await carrier.idle();
    expect(edge.files.size).toBe(0);
  });

  it('takes the place of what every tier had', async () => {
    const { store, carrier, edge, kv, r2 } = layered();
    await store.keep(key, file('old'), { kv: true });
    await store.replace(key, checked, { kv: true });
    await carrier.idle();
    for (const tier of [edge, kv, r2]) {
      expect(await tier.read(key)).toMatchObject({ etag: '"x"', checked: 'h1:right' });
    }
  });
});

it('a file that is removed is gone from every tier', async () => {
  const { store, carrier, edge, kv, r2 } = layered();
  await store.keep(key, file('x'), { kv: true });
  await carrier.idle();
  await store.remove(key);
  expect([edge.files.size, kv.files.size, r2.files.size]).toEqual([0, 0, 0]);
});

it('a swap that R2 cannot make is taken for made: there is nobody to disagree', async () => {
  const { store } = layered({});
  expect(await store.readForSwap(key)).toBeUndefined();
  expect(await store.swap(key, undefined, file('x'))).toBe(true);
});
