import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { bytes, modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { fakeContext, memoryTiers } from '../../test/fakes/mirror/context.ts';
import { bytesOf } from '../bytes/streams.ts';
import { versionKey } from './key.ts';
import { MAX_NEAR_BYTES } from './large-files.ts';
import type { Hit } from './tiers.ts';

const hello = modulePath('example.com/hello');
const key = versionKey(hello, version('v1.0.0'), 'zip');
const hashKey = versionKey(hello, version('v1.0.0'), 'ziphash');
const file = (content: string) => ({ bytes: bytes(content), etag: `"${content}"` });
const HASH = `h1:${'A'.repeat(43)}=`;

function layered() {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const context = fakeContext({ clock, tiers });
  const { large } = context.store;
  return { ...tiers, clock, context, large };
}

async function shown(hit: Hit | undefined): Promise<string | undefined> {
  return hit && `${text(await bytesOf(hit.file.body))} ${hit.file.etag} ${hit.tier}`;
}

describe('a large file', () => {
  it('is copied to the near tier by a read of its own, up to 32 MiB', async () => {
    const { context, large, durable, near } = layered();
    await durable.write(key, file('zip'), 'create');
    expect(await shown(await large.find(key))).toBe('zip "zip" r2');
    await context.idle();
    expect(await shown(await large.find(key))).toBe('zip "zip" edge');
    near.files.clear();
    expect(MAX_NEAR_BYTES).toBe(32 * 1024 * 1024);
    durable.files.set(key, { bytes: new Uint8Array(MAX_NEAR_BYTES + 1), etag: '"big"' });
    await large.find(key);
    await context.idle();
    expect(near.files.size).toBe(0);
  });

  it('is read in parts from the durable tier alone, by what its size and etag ask for', async () => {
    const { large, durable, near } = layered();
    await near.write(key, file('near copy'));
    expect(await shown(await large.find(key, { select: () => ({ offset: 0, length: 1 }) }))).toBe(
      'near copy "near copy" edge',
    );
    await durable.write(key, file('0123456789'), 'create');
    const selected: unknown[] = [];
    const part = await large.find(key, {
      select(facts) {
        selected.push(facts);
        return { offset: 2, length: 3 };
      },
    });
    expect(selected).toEqual([{ size: 10, etag: '"0123456789"' }]);
    expect(part?.file).toMatchObject({ size: 10, range: { offset: 2, length: 3 } });
    expect(await shown(part)).toBe('234 "0123456789" r2');
    const whole = await large.find(key, { select: () => undefined });
    expect([whole?.tier, whole?.file.range]).toEqual(['r2', undefined]);
  });

  it('that ends before the range is found without a body, and says so', async () => {
    const { large, durable } = layered();
    await durable.write(key, file('0123456789'), 'create');
    const hit = await large.find(key, { select: () => 'unsatisfiable' });
    expect(hit).toMatchObject({ tier: 'r2', isUnsatisfiable: true, file: { size: 10 } });
    expect(await shown(hit)).toBe(' "0123456789" r2');
  });

  it('is given whole where another one was stored there after its range was chosen', async () => {
    const { large, durable } = layered();
    await durable.write(key, file('0123456789'), 'create');
    const select = () => {
      durable.files.set(key, file('abcdef'));
      return { offset: 2, length: 3 };
    };
    expect(await shown(await large.find(key, { select }))).toBe('abcdef "abcdef" r2');
  });

  it('is continued from a byte, unless the stored one is another', async () => {
    const { large, durable } = layered();
    await durable.write(key, file('0123456789'), 'create');
    const rest = await large.readFrom(key, 4, { size: 10, etag: '"0123456789"' });
    expect(rest && text(await bytesOf(rest))).toBe('456789');
    expect(await large.readFrom(key, 4, { size: 10, etag: '"9876543210"' })).toBeUndefined();
  });
});

const checkedOf = async ({ large }: ReturnType<typeof layered>) =>
  (await large.find(key, { hashKey }))?.file.checked;

describe('a hash file', () => {
  it('vouches for the very file that was checked, and for no other one in its place', async () => {
    const all = layered();
    const { context, large, durable, near } = all;
    await durable.write(key, file('zip'), 'create');
    expect(await checkedOf(all)).toBeUndefined();
    await large.writeHash(hashKey, HASH, '"zip"');
    expect(text(durable.files.get(hashKey)?.bytes ?? new Uint8Array())).toBe(HASH);
    expect(await large.readHash(hashKey)).toEqual({ hash: HASH, etag: '"zip"' });
    expect(await checkedOf(all)).toBe(HASH);
    await context.idle();
    near.files.clear();
    durable.files.set(key, file('another'));
    expect(await checkedOf(all)).toBeUndefined();
  });

  it.each(['', 'h1:', 'h1:short=', 'nonsense', `${HASH}x`])(
    'with %j vouches for nothing',
    async (content) => {
      const all = layered();
      await all.durable.write(key, file('zip'), 'create');
      await all.durable.write(hashKey, { bytes: bytes(content), etag: '"zip"' }, 'create');
      expect(await checkedOf(all)).toBeUndefined();
      expect(await all.large.readHash(hashKey)).toBeUndefined();
    },
  );

  it('goes along to the near tier, where a file without one does not count', async () => {
    const { context, large, durable, near } = layered();
    await durable.write(key, file('zip'), 'create');
    await near.write(key, file('unmarked'));
    expect(await shown(await large.find(key, { hashKey }))).toBe('zip "zip" r2');
    await context.idle();
    expect(await shown(await large.find(key))).toBe('unmarked "unmarked" edge');
    await large.writeHash(hashKey, HASH, '"zip"');
    await large.find(key, { hashKey });
    await context.idle();
    const hit = await large.find(key, { hashKey });
    expect([hit?.tier, hit?.file.checked, hit?.file.etag]).toEqual(['edge', HASH, '"zip"']);
  });

  it('is looked for with a part of the file too', async () => {
    const { large, durable } = layered();
    await durable.write(key, file('zip'), 'create');
    await large.writeHash(hashKey, HASH, '"zip"');
    const part = await large.find(key, { hashKey, select: () => ({ offset: 1, length: 1 }) });
    expect([part?.file.checked, await shown(part)]).toEqual([HASH, 'i "zip" r2']);
  });
});

describe('a file that is opened', () => {
  it('is read in ranges, as long as it is the same file', async () => {
    const { large, durable } = layered();
    expect(await large.open(key)).toBeUndefined();
    await durable.write(key, file('0123456789'), 'create');
    const opened = await large.open(key);
    expect([opened?.size, opened?.etag]).toEqual([10, '"0123456789"']);
    expect(text((await opened?.read(3, 4)) ?? new Uint8Array())).toBe('3456');
    const memory = new ArrayBuffer(8);
    expect(text((await opened?.readInto(3, 4, memory)) ?? new Uint8Array())).toBe('3456');
    durable.files.set(key, file('9876543210'));
    await expect(opened?.read(3, 4)).rejects.toThrow('replaced');
  });
});

describe('a file that is removed', () => {
  it('is removed with its hash file, from the durable and the near tier', async () => {
    const { large, durable, near } = layered();
    await durable.write(key, file('zip'), 'create');
    await near.write(key, file('zip'));
    await large.writeHash(hashKey, HASH, '"zip"');
    await large.remove(key, hashKey, '"zip"');
    expect([durable.files.size, near.files.size]).toEqual([0, 0]);
  });

  it('stays if it is another one by now', async () => {
    const { large, durable } = layered();
    await durable.write(key, file('mended'), 'create');
    await large.writeHash(hashKey, HASH, '"mended"');
    await large.remove(key, hashKey, '"zip"');
    expect([...durable.files.keys()]).toEqual([key, hashKey]);
  });
});

it('the file that was found is copied to the near tier, or none', async () => {
  const { context, large, durable, near } = layered();
  await durable.write(key, file('zip'), 'create');
  await large.writeHash(hashKey, HASH, '"zip"');
  const read = durable.read.bind(durable);
  let reads = 0;
  durable.read = async (asked, range) => {
    if (asked === key && ++reads === 2) durable.files.set(key, file('another'));
    return read(asked, range);
  };
  expect((await large.find(key, { hashKey }))?.file.checked).toBe(HASH);
  await context.idle();
  expect([reads, near.files.size]).toEqual([2, 0]);
});
