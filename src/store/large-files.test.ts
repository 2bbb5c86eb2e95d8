import { describe, expect, it } from 'vitest';
import { fakeCarrier, memoryTiers } from '../../test/fakes/effects/carrier.ts';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { bytes, modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { bytesOf } from './guard.ts';
import { versionKey } from './key.ts';
import type { Hit } from './layered.ts';

const hello = modulePath('example.com/hello');
const key = versionKey(hello, version('v1.0.0'), 'zip');
const mark = versionKey(hello, version('v1.0.0'), 'ziphash');
const file = (said: string) => ({ bytes: bytes(said), etag: `"${said}"` });
const HASH = `h1:${'A'.repeat(43)}=`;

function layered() {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const carrier = fakeCarrier({ clock, tiers });
  return { ...tiers, clock, store: carrier.store, carrier };
}

async function shown(hit: Hit | undefined): Promise<string | undefined> {
  return hit && `${text(await bytesOf(hit.file.body))} ${hit.file.etag} ${hit.tier}`;
}

describe('a large file', () => {
  it('is copied to the edge by a read of its own, up to 32 MiB', async () => {
    const { store, r2, edge, carrier } = layered();
    await r2.write(key, file('zip'), 'create');
    expect(await shown(await store.large.find(key))).toBe('zip "zip" r2');
    await carrier.idle();
    expect(await shown(await store.large.find(key))).toBe('zip "zip" edge');
    edge.files.clear();
    r2.files.set(key, { bytes: new Uint8Array(32 * 1024 * 1024 + 1), etag: '"big"' });
    await store.large.find(key);
    await carrier.idle();
    expect(edge.files.size).toBe(0);
  });

  it('is read in parts from R2 alone, by what its size and etag ask for', async () => {
    const { store, r2, edge } = layered();
    await edge.write(key, file('edge copy'));
    expect(
      await shown(await store.large.find(key, { select: () => ({ offset: 0, length: 1 }) })),
    ).toBe('edge copy "edge copy" edge');
    await r2.write(key, file('0123456789'), 'create');
    const asked: unknown[] = [];
    const part = await store.large.find(key, {
      select(facts) {
        asked.push(facts);
        return { offset: 2, length: 3 };
      },
    });
    expect(asked).toEqual([{ size: 10, etag: '"0123456789"' }]);
    expect(part?.file).toMatchObject({ size: 10, range: { offset: 2, length: 3 } });
    expect(await shown(part)).toBe('234 "0123456789" r2');
    const whole = await store.large.find(key, { select: () => undefined });
    expect([whole?.tier, whole?.file.range]).toEqual(['r2', undefined]);
  });

  it('is given whole where another one came to lie there after its range was chosen', async () => {
    const { store, r2 } = layered();
    await r2.write(key, file('0123456789'), 'create');
    const select = () => {
      r2.files.set(key, file('abcdef'));
      return { offset: 2, length: 3 };
    };
    expect(await shown(await store.large.find(key, { select }))).toBe('abcdef "abcdef" r2');
  });

  it('goes on from a byte, unless the stored one is another', async () => {
    const { store, r2 } = layered();
    await r2.write(key, file('0123456789'), 'create');
    const rest = await store.large.readFrom(key, 4, { size: 10, etag: '"0123456789"' });
    expect(rest && text(await bytesOf(rest))).toBe('456789');
    expect(await store.large.readFrom(key, 4, { size: 10, etag: '"9876543210"' })).toBeUndefined();
  });
});

it('an origin\'s "not found" is believed for its seconds', async () => {
  const { store, clock, carrier } = layered();
  const missing = { status: 404, text: 'no', origin: 'a' } as const;
  store.keepMissing(key, missing, 30);
  await carrier.idle();
  expect(await store.findMissing(key)).toEqual(missing);
  await clock.advance(30_000);
  expect(await store.findMissing(key)).toBeUndefined();
});

const checkedOf = async (store: ReturnType<typeof layered>['store']) =>
  (await store.large.find(key, { mark }))?.file.checked;

describe('a mark', () => {
  it('vouches for the very file that was checked, and for no other one in its place', async () => {
    const { store, carrier, edge, r2 } = layered();
    await r2.write(key, file('zip'), 'create');
    expect(await checkedOf(store)).toBeUndefined();
    await store.large.mark(mark, HASH, '"zip"');
    expect(text(r2.files.get(mark)?.bytes ?? new Uint8Array())).toBe(HASH);
    expect(await checkedOf(store)).toBe(HASH);
    await carrier.idle();
    edge.files.clear();
    r2.files.set(key, file('another'));
    expect(await checkedOf(store)).toBeUndefined();
  });

  it.each(['', 'h1:', 'h1:short=', 'nonsense', `${HASH}x`])(
    'that is %j vouches for nothing',
    async (said) => {
      const { store, r2 } = layered();
      await r2.write(key, file('zip'), 'create');
      await r2.write(mark, { bytes: bytes(said), etag: '"zip"' }, 'create');
      expect(await checkedOf(store)).toBeUndefined();
    },
  );

  it('goes along to the edge, where nothing without one counts', async () => {
    const { store, carrier, edge, r2 } = layered();
    await r2.write(key, file('zip'), 'create');
    await edge.write(key, file('unmarked'));
    expect(await shown(await store.large.find(key, { mark }))).toBe('zip "zip" r2');
    await carrier.idle();
    expect(await shown(await store.large.find(key))).toBe('unmarked "unmarked" edge');
    await store.large.mark(mark, HASH, '"zip"');
    await store.large.find(key, { mark });
    await carrier.idle();
    const near = await store.large.find(key, { mark });
    expect([near?.tier, near?.file.checked, near?.file.etag]).toEqual(['edge', HASH, '"zip"']);
  });

  it('is looked for with a part of the file too', async () => {
    const { store, r2 } = layered();
    await r2.write(key, file('zip'), 'create');
    await store.large.mark(mark, HASH, '"zip"');
    const part = await store.large.find(key, { mark, select: () => ({ offset: 1, length: 1 }) });
    expect([part?.file.checked, await shown(part)]).toEqual([HASH, 'i "zip" r2']);
  });
});

describe('a file that is opened', () => {
  it('is read in ranges, as long as it is the same file', async () => {
    const { store, r2 } = layered();
    expect(await store.large.open(key)).toBeUndefined();
    await r2.write(key, file('0123456789'), 'create');
    const opened = await store.large.open(key);
    expect([opened?.size, opened?.etag]).toEqual([10, '"0123456789"']);
    expect(text((await opened?.read(3, 4)) ?? new Uint8Array())).toBe('3456');
    r2.files.set(key, file('9876543210'));
    await expect(opened?.read(3, 4)).rejects.toThrow('replaced');
  });
});

describe('a file that is removed', () => {
  it('goes with its mark, from R2 and the edge', async () => {
    const { store, r2, edge } = layered();
    await r2.write(key, file('zip'), 'create');
    await edge.write(key, file('zip'));
    await store.large.mark(mark, HASH, '"zip"');
    await store.large.remove(key, mark, '"zip"');
    expect([r2.files.size, edge.files.size]).toEqual([0, 0]);
  });

  it('stays if it is another one by now', async () => {
    const { store, r2 } = layered();
    await r2.write(key, file('mended'), 'create');
    await store.large.mark(mark, HASH, '"mended"');
    await store.large.remove(key, mark, '"zip"');
    expect([...r2.files.keys()]).toEqual([key, mark]);
  });
});

it('what is copied to the edge is the file that was found, or nothing', async () => {
  const { store, carrier, r2, edge } = layered();
  await r2.write(key, file('zip'), 'create');
  await store.large.mark(mark, HASH, '"zip"');
  const read = r2.read.bind(r2);
  let reads = 0;
  r2.read = async (asked, range) => {
    if (asked === key && ++reads === 2) r2.files.set(key, file('another'));
    return read(asked, range);
  };
  expect((await store.large.find(key, { mark }))?.file.checked).toBe(HASH);
  await carrier.idle();
  expect([reads, edge.files.size]).toEqual([2, 0]);
});
