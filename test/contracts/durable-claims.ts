import type { DurableStore } from '../../src/store/contract.ts';
import type { StoreKey } from '../../src/store/key.ts';
import { bytesIn, type Claim, equal, equalBytes, newKey, rejects, someBytes } from './claims.ts';

const MIB = 1024 * 1024;
const CHUNK = 256 * 1024;

/** Writes `bytes` in chunks of one piece of memory that is used over and over. */
async function send(
  store: DurableStore,
  key: StoreKey,
  { bytes, size, etag = '"up"' }: { bytes: Uint8Array; size: number | undefined; etag?: string },
) {
  const upload = await store.upload(key, { etag, size });
  const memory = new Uint8Array(CHUNK);
  for (let at = 0; at < bytes.length; at += CHUNK) {
    const part = bytes.subarray(at, at + CHUNK);
    memory.set(part);
    await upload.write(memory.subarray(0, part.length));
    memory.fill(0xee);
  }
  return upload;
}

const fileOf = (seed: number) => ({ bytes: someBytes(10, seed), etag: `"${seed}"` });

const written: readonly Claim<DurableStore>[] = [
  {
    claim: 'a file that is not there is undefined',
    async check(store) {
      const key = newKey();
      equal(await store.read(key), undefined);
      equal(await store.head(key), undefined);
      equal(await store.read(key, { offset: 0, length: 1 }), undefined);
    },
  },
  {
    claim: 'a file is read as it was written, with its size and etag',
    async check(store) {
      for (const size of [0, 1, 100_000, 3 * MIB]) {
        const key = newKey();
        const bytes = someBytes(size);
        await store.write(key, { bytes, etag: `"of ${size}"` }, 'create');
        const file = await store.read(key);
        const { etag, range } = file ?? {};
        equal({ size: file?.size, etag, range }, { size, etag: `"of ${size}"`, range: undefined });
        equalBytes(await bytesIn(file), bytes);
        equal(await store.head(key), { size, etag: `"of ${size}"` });
      }
    },
  },
  {
    claim: 'a file is read with the result of its check, and without one where none was stored',
    async check(store) {
      for (const checked of ['h1:abc=', 'uncovered', undefined] as const) {
        const key = newKey();
        const result = checked ? { checked } : {};
        await store.write(key, { bytes: someBytes(3), etag: '"e"', ...result }, 'create');
        const file = await store.read(key);
        equal(
          { checked: file?.checked, bytes: await bytesIn(file) },
          { checked, bytes: someBytes(3) },
        );
        equal(await store.head(key), { size: 3, etag: '"e"', ...result });
      }
    },
  },
  {
    claim:
      'files that are removed are gone, also more than a thousand, and some that were never there',
    async check(store) {
      const keys = Array.from({ length: 1010 }, () => newKey());
      const kept = newKey();
      for (const key of [keys[0], keys[500], keys[1009], kept]) {
        if (key) await store.write(key, { bytes: someBytes(1), etag: '"e"' }, 'create');
      }
      await store.remove(keys);
      equal(
        await Promise.all([keys[0], keys[500], keys[1009]].map((key) => key && store.head(key))),
        [undefined, undefined, undefined],
      );
      equal((await store.head(kept))?.size, 1);
    },
  },
  {
    claim: 'a swap takes place while the file is still the one that was read, and not otherwise',
    async check(store) {
      const key = newKey('latest');
      equal(await store.readForSwap(key), undefined);
      equal(await store.swap(key, undefined, fileOf(1)), true);
      equal(await store.swap(key, undefined, fileOf(2)), false);
      const first = await store.readForSwap(key);
      equalBytes(first?.bytes, someBytes(10, 1));
      equal(await store.swap(key, first?.known, fileOf(3)), true);
      equal(await store.swap(key, first?.known, fileOf(4)), false);
      equalBytes((await store.readForSwap(key))?.bytes, someBytes(10, 3));
      equal(await store.head(key), { size: 10, etag: '"3"' });
    },
  },
  {
    claim: 'of many swaps at a time exactly one takes place',
    async check(store) {
      const key = newKey('latest');
      await store.write(key, { bytes: someBytes(5), etag: '"0"' }, 'create');
      const known = (await store.readForSwap(key))?.known;
      const swaps = Array.from({ length: 8 }, (_, at) =>
        store.swap(key, known, { bytes: someBytes(6, at + 9), etag: `"${at}"` }),
      );
      equal((await Promise.all(swaps)).filter(Boolean).length, 1);
    },
  },
  {
    claim: 'create never replaces a file, and does not fail where there is one',
    async check(store) {
      const key = newKey();
      await store.write(key, { bytes: someBytes(10, 1), etag: '"one"' }, 'create');
      await store.write(key, { bytes: someBytes(20, 2), etag: '"two"' }, 'create');
      const file = await store.read(key);
      equal(file?.etag, '"one"');
      equalBytes(await bytesIn(file), someBytes(10, 1));
    },
  },
  {
    claim: 'replace replaces the bytes and the etag',
    async check(store) {
      const key = newKey('list');
      await store.write(key, { bytes: someBytes(10, 1), etag: '"one"' }, 'replace');
      await store.write(key, { bytes: someBytes(20, 2), etag: '"two"' }, 'replace');
      equal(await store.head(key), { size: 20, etag: '"two"' });
      equalBytes(await bytesIn(await store.read(key)), someBytes(20, 2));
    },
  },
  {
    claim: 'a range is that part of the file, and the size is that of the whole file',
    async check(store) {
      const key = newKey();
      const bytes = someBytes(1000);
      await store.write(key, { bytes, etag: '"e"' }, 'create');
      const ranges: [asked: [number, number], served: [number, number]][] = [
        [
          [0, 1],
          [0, 1],
        ],
        [
          [999, 1],
          [999, 1],
        ],
        [
          [10, 500],
          [10, 500],
        ],
        [
          [0, 1000],
          [0, 1000],
        ],
        [
          [990, 100],
          [990, 10],
        ],
      ];
      for (const [[offset, asked], [from, length]] of ranges) {
        const file = await store.read(key, { offset, length: asked });
        const { etag, range, size } = file ?? {};
        equal({ size, etag, range }, { size: 1000, etag: '"e"', range: { offset: from, length } });
        equalBytes(await bytesIn(file), bytes.subarray(from, from + length));
      }
    },
  },
  {
    claim: 'the keys are all those that begin with the prefix, also more than a thousand',
    async check(store) {
      const prefix = newKey('');
      const names = Array.from({ length: 1050 }, (_, at) => `${prefix}v1.0.${at}.info`);
      const file = { bytes: someBytes(1), etag: '"e"' };
      for (let at = 0; at < names.length; at += 50) {
        await Promise.all(
          names.slice(at, at + 50).map((name) => store.write(name as StoreKey, file, 'create')),
        );
      }
      await store.write(newKey(), file, 'create');
      const found: string[] = [];
      for await (const key of store.keys(prefix)) found.push(key);
      equal(found.toSorted(), names.toSorted());
    },
  },
  {
    claim: 'there are no keys where none begins with the prefix',
    async check(store) {
      for await (const key of store.keys(newKey(''))) equal(key, 'nothing');
    },
  },
];

/** About an upload whose size is declared, or is not. */
function uploads(isDeclared: boolean): readonly Claim<DurableStore>[] {
  const called = isDeclared ? 'an upload of known size' : 'an upload of unknown size';
  const sizeOf = (bytes: Uint8Array) => (isDeclared ? bytes.length : undefined);
  return [
    {
      claim: `${called} is a file after its commit, whole and with its etag, and not before`,
      async check(store) {
        for (const length of [0, 1, CHUNK, CHUNK + 1, 8 * MIB, 8 * MIB + 1, 20 * MIB + 12_345]) {
          const key = newKey();
          const bytes = someBytes(length);
          const upload = await send(store, key, {
            bytes,
            size: sizeOf(bytes),
            etag: `"up ${length}"`,
          });
          equal(await store.head(key), undefined);
          equal(await upload.commit(), true);
          equal(await store.head(key), { size: length, etag: `"up ${length}"` });
          equalBytes(await bytesIn(await store.read(key)), bytes);
        }
      },
    },
    {
      claim: `${called} that is aborted, once or twice, leaves nothing`,
      async check(store) {
        for (const length of [0, 1, 3 * CHUNK, 9 * MIB]) {
          const key = newKey();
          const bytes = someBytes(length);
          const upload = await send(store, key, {
            bytes,
            size: isDeclared ? length + 1 : undefined,
          });
          await upload.abort(new Error('no'));
          await upload.abort(new Error('no'));
          equal(await store.head(key), undefined);
        }
      },
    },
    {
      claim: `${called} never replaces a file that is there, and its commit does not fail`,
      async check(store) {
        const key = newKey();
        await store.write(key, { bytes: someBytes(10), etag: '"first"' }, 'create');
        const bytes = someBytes(9 * MIB, 7);
        const upload = await send(store, key, { bytes, size: sizeOf(bytes) });
        equal(await upload.commit(), false);
        equal(await store.head(key), { size: 10, etag: '"first"' });
      },
    },
    {
      claim: `${called} may run beside another one of the same file, and one of the two is kept`,
      async check(store) {
        const key = newKey();
        const bytes = someBytes(3 * CHUNK);
        const both = [
          await send(store, key, { bytes, size: sizeOf(bytes), etag: '"a"' }),
          await send(store, key, { bytes, size: sizeOf(bytes), etag: '"b"' }),
        ];
        for (const upload of both) await upload.commit();
        equalBytes(await bytesIn(await store.read(key)), bytes);
      },
    },
  ];
}

const short: readonly Claim<DurableStore>[] = [
  {
    claim: 'an upload that lacks bytes does not commit and leaves nothing',
    async check(store) {
      for (const length of [0, 1, CHUNK, 9 * MIB]) {
        const key = newKey();
        const upload = await send(store, key, { bytes: someBytes(length), size: length + 1 });
        await rejects(upload.commit());
        await upload.abort(new Error('short'));
        equal(await store.head(key), undefined);
      }
    },
  },
  {
    claim: 'an upload with too many bytes does not commit and leaves nothing',
    async check(store) {
      const key = newKey();
      const filling = async () => {
        const upload = await send(store, key, { bytes: someBytes(2 * CHUNK), size: 2 * CHUNK - 1 });
        await upload.commit();
      };
      await rejects(filling());
      equal(await store.head(key), undefined);
    },
  },
];

/** The contract of a durable store in src/store/contract.ts. */
export const durableClaims: readonly Claim<DurableStore>[] = [
  ...written,
  ...uploads(true),
  ...uploads(false),
  ...short,
];
