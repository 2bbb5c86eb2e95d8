import { expect, it } from 'vitest';
import { memoryStore } from '../../test/fakes/store/memory-store.ts';
import type { TroubleEvent } from '../effects/emit.ts';
import type { Rechecked } from '../mirror/recheck.ts';
import { listedKey } from '../store/key.ts';
import { type StoreCheckEvent, storeCheck } from './check-store.ts';

async function storeWith(keys: readonly string[], size = 10) {
  const durable = memoryStore();
  for (const key of keys) {
    const file = { bytes: new Uint8Array(size), etag: '"e"' };
    await durable.write(listedKey(key), file, 'create');
  }
  const events: (StoreCheckEvent | TroubleEvent)[] = [];
  const asked: string[] = [];
  const check = storeCheck({
    durable,
    emit: (event) => void events.push(event),
    async recheck({ kind, module, version }): Promise<Rechecked> {
      asked.push(`${module}@${version}.${kind}`);
      if (version === 'v1.6.0') throw new Error('No result within 5000 ms');
      return version === 'v1.6.6' ? 'wrong' : 'right';
    },
  });
  return { asked, check, events };
}

it('the files with a hash in the log are compared, and no others', async () => {
  const { asked, check, events } = await storeWith([
    '.modferry/marks.json',
    'example.com/a/@v/list',
    'example.com/a/@v/v1.0.0.info',
    'example.com/a/@v/v1.0.0.mod',
    'example.com/a/@v/v1.0.0.zip',
    'example.com/a/@v/v1.0.0.ziphash',
    'example.com/a/@v/v1.6.6.mod',
    'hosted/corp.example/tool/@v/v1.0.0.mod',
    'hosted/corp.example/tool/@v/v1.0.0.zip',
    'sumdb/sum.golang.org/tile/8/0/000',
    'unknown file',
  ]);
  expect(await check(undefined, 50)).toEqual({ cursor: undefined, files: 3 });
  expect(asked).toEqual([
    'example.com/a@v1.0.0.mod',
    'example.com/a@v1.0.0.zip',
    'example.com/a@v1.6.6.mod',
  ]);
  expect(events).toEqual([{ event: 'store check', files: 3, bytes: 30, wrong: 1 }]);
});

it.each([
  ['files', 10, 100, 2],
  ['bytes', 33 * 1024 * 1024, 50, 2],
] as const)(
  'a slice ends by its %s, and the next one goes on behind it',
  async (_, size, __, n) => {
    const keys = [1, 2, 3, 4, 5].map((minor) => `example.com/a/@v/v1.${minor}.0.mod`);
    const { asked, check } = await storeWith(keys, size);
    let cursor: string | undefined;
    const slices: number[] = [];
    do {
      const slice = await check(cursor, n);
      slices.push(slice.files);
      cursor = slice.cursor;
    } while (cursor !== undefined);
    expect(slices).toEqual([2, 2, 1]);
    expect(asked).toEqual([1, 2, 3, 4, 5].map((minor) => `example.com/a@v1.${minor}.0.mod`));
  },
);

it('a file that cannot be read is reported, and the check goes on behind it', async () => {
  const keys = [1, 6, 7].map((minor) => `example.com/a/@v/v1.${minor}.0.mod`);
  const { asked, check, events } = await storeWith(keys);
  expect(await check(undefined, 50)).toEqual({ cursor: undefined, files: 3 });
  expect(asked).toHaveLength(3);
  expect(events).toMatchObject([
    { event: 'trouble', label: `check of ${keys[1]}` },
    { event: 'store check', files: 3, wrong: 0 },
  ]);
});

it('an empty store has nothing to check', async () => {
  const { check } = await storeWith([]);
  expect(await check(undefined, 50)).toEqual({ cursor: undefined, files: 0 });
});
