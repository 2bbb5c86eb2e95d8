import { describe, expect, it, vi } from 'vitest';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { bytes, modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { fakeContext, memoryTiers } from '../../test/fakes/mirror/context.ts';
import { bytesOf } from '../bytes/streams.ts';
import { versionKey } from './key.ts';
import { MAX_NEAR_BYTES } from './copies.ts';
import type { LargeHit } from './large-files.ts';
import type { NegativeHit } from './tiers.ts';

const hello = modulePath('example.com/hello');
const key = versionKey(hello, version('v1.0.0'), 'zip');
const hashKey = versionKey(hello, version('v1.0.0'), 'ziphash');
const file = (content: string) => ({ bytes: bytes(content), etag: `"${content}"` });
const LIFE = { asOf: 0, seconds: 86_400 };
const HASH = `h1:${'A'.repeat(43)}=`;

function layered() {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const context = fakeContext({ clock, tiers });
  const { large } = context.store;
  return { ...tiers, clock, context, large };
}

/** The file of a hit. */
function fileOf(hit: LargeHit | NegativeHit | undefined) {
  return hit?.kind === 'file' ? hit.file : undefined;
}

async function shown(hit: LargeHit | NegativeHit | undefined): Promise<string | undefined> {
  return hit?.kind === 'file'
    ? `${text(await bytesOf(hit.file.body))} ${hit.file.etag} ${hit.tier}`
    : undefined;
}

const down = () => Promise.reject(new Error('down'));
const partOf = () => ({ offset: 2, length: 3 });

describe('a large file', () => {
  it('is read once for the answer and the near tier, up to 8 MiB', async () => {
    const { context, large, durable, near } = layered();
    await durable.write(key, file('zip'), 'create');
    const read = vi.spyOn(durable, 'read');
    expect(await shown(await large.find(key))).toBe('zip "zip" r2');
    await context.idle();
    expect(await shown(await large.find(key))).toBe('zip "zip" edge');
    expect(read).toHaveBeenCalledTimes(1);
    near.files.clear();
    expect(MAX_NEAR_BYTES).toBe(8 * 1024 * 1024);
    durable.files.set(key, { bytes: new Uint8Array(MAX_NEAR_BYTES + 1), etag: '"big"' });
    await large.find(key);
    await context.idle();
    expect(near.files.size).toBe(0);
  });

  it('is read in parts from the durable tier alone, by what its size and etag ask for', async () => {
    const { large, durable } = layered();
    await durable.write(key, file('0123456789'), 'create');
    const selected: unknown[] = [];
    const part = await large.find(key, {
      select(facts) {
        selected.push(facts);
        return { offset: 2, length: 3 };
      },
    });
    expect(selected).toMatchObject([{ size: 10, etag: '"0123456789"' }]);
    expect(fileOf(part)).toMatchObject({ size: 10, range: { offset: 2, length: 3 } });
    expect(await shown(part)).toBe('234 "0123456789" r2');
    const whole = await large.find(key, { select: () => 'whole' });
    expect([whole?.tier, fileOf(whole)?.range]).toEqual(['r2', undefined]);
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
  fileOf(await large.find(key, { hashKey }))?.checked;

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
    await near.write(key, file('unmarked'), LIFE);
    expect(await shown(await large.find(key, { hashKey }))).toBe('zip "zip" r2');
    await context.idle();
    expect(await shown(await large.find(key))).toBe('unmarked "unmarked" edge');
    await large.writeHash(hashKey, HASH, '"zip"');
    await large.find(key, { hashKey });
    await context.idle();
    const hit = await large.find(key, { hashKey });
    expect([hit?.tier, fileOf(hit)?.checked, fileOf(hit)?.etag]).toEqual(['edge', HASH, '"zip"']);
  });

  it('is looked for with a part of the file too', async () => {
    const { large, durable } = layered();
    await durable.write(key, file('zip'), 'create');
    await large.writeHash(hashKey, HASH, '"zip"');
    const part = await large.find(key, { hashKey, select: () => ({ offset: 1, length: 1 }) });
    expect([fileOf(part)?.checked, await shown(part)]).toEqual([HASH, 'i "zip" r2']);
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
    await near.write(key, file('zip'), LIFE);
    await large.writeHash(hashKey, HASH, '"zip"');
    await large.remove(key, hashKey, '"zip"');
    expect([durable.files.has(key), durable.files.has(hashKey)]).toEqual([false, false]);
    expect(near.files.has(key)).toBe(false);
  });

  it('stays if it is another one by now', async () => {
    const { large, durable } = layered();
    await durable.write(key, file('mended'), 'create');
    await large.writeHash(hashKey, HASH, '"mended"');
    await large.remove(key, hashKey, '"zip"');
    expect([...durable.files.keys()]).toEqual([key, hashKey]);
  });
});

describe('without a body', () => {
  it('only the metadata is read, and nothing is copied', async () => {
    const { context, large, durable, near } = layered();
    await durable.write(key, file('zip'), 'create');
    await large.writeHash(hashKey, HASH, '"zip"');
    const read = vi.spyOn(durable, 'read');
    const hit = await large.find(key, { hashKey, select: () => 'metadata' });
    expect(fileOf(hit)).toEqual({ body: new Uint8Array(), size: 3, etag: '"zip"', checked: HASH });
    await context.idle();
    expect(read.mock.calls.map(([asked]) => asked)).toEqual([hashKey]);
    expect(near.files.size).toBe(0);
  });

  it('the copy in the near tier answers, and with a range it tells what to read', async () => {
    const { context, large, durable } = layered();
    await durable.write(key, file('0123456789'), 'create');
    await large.find(key);
    await context.idle();
    const head = vi.spyOn(durable, 'head');
    expect(await large.find(key, { select: () => 'metadata' })).toMatchObject({ tier: 'edge' });
    const part = await large.find(key, { select: () => ({ offset: 1, length: 2 }) });
    expect(await shown(part)).toBe('12 "0123456789" r2');
    expect(head).not.toHaveBeenCalled();
  });
});

it('a copy that was verified just now goes to the near tier with its check, for its time', async () => {
  const { clock, context, large, durable } = layered();
  await durable.write(key, file('zip'), 'create');
  const verified = { etag: '"zip"', checked: 'uncovered', nearSeconds: 60 } as const;
  expect(fileOf(await large.find(key, { hashKey, verified }))?.checked).toBe('uncovered');
  await context.idle();
  expect(await large.find(key, { hashKey })).toMatchObject({ tier: 'edge' });
  await clock.advance(60_000);
  expect(await large.find(key, { hashKey })).toMatchObject({ tier: 'r2' });
  durable.files.set(key, file('another'));
  expect(fileOf(await large.find(key, { hashKey, verified }))?.checked).toBeUndefined();
});

it('a file is streamed and not copied where no memory is left', async () => {
  const { context, large, durable, near } = layered();
  await durable.write(key, file('zip'), 'create');
  const release = context.shared.budgets.held.take(40 * 1024 * 1024);
  expect(await shown(await large.find(key))).toBe('zip "zip" r2');
  await context.idle();
  expect(near.files.size).toBe(0);
  release?.();
  await large.find(key);
  await context.idle();
  expect(near.files.size).toBe(1);
  expect(context.shared.budgets.held.take(40 * 1024 * 1024)).toBeDefined();
});

it.each(['absent', 'failing'])(
  'a range of a near copy is the whole copy while the durable tier is %s',
  async (how) => {
    const clock = fakeClock();
    const tiers = memoryTiers(clock);
    const durable = how === 'absent' ? undefined : { ...tiers.durable, read: down, head: down };
    const context = fakeContext({ clock, tiers: { ...tiers, durable } });
    await tiers.near.write(key, file('0123456789'), LIFE);
    expect(await shown(await context.store.large.find(key, { select: partOf }))).toBe(
      '0123456789 "0123456789" edge',
    );
  },
);

it('a stored file that is too slow to be copied is streamed', async () => {
  const { clock, context, large, durable, near } = layered();
  await durable.write(key, file('zip'), 'create');
  const read = durable.read.bind(durable);
  durable.read = async (...args) => {
    const stored = await read(...args);
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        await clock.sleep(6_000);
        controller.enqueue(bytes('zip'));
        controller.close();
      },
    });
    return stored && { ...stored, body };
  };
  const finding = large.find(key);
  await clock.advance(5_000);
  const hit = await finding;
  await clock.advance(6_000);
  expect(await shown(hit)).toBe('zip "zip" r2');
  await context.idle();
  expect(near.files.size).toBe(0);
});

it('a negative entry is found in place of a file', async () => {
  const { context, large } = layered();
  const missing = { status: 404, text: 'no', origin: 'a' } as const;
  context.store.keepMissing(key, missing, 30);
  await context.idle();
  expect(await large.find(key)).toMatchObject({ kind: 'missing', missing, tier: 'edge' });
});
