import type { DurableStore, FileFacts, ListedFile } from '../../src/store/contract.ts';
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

/** What `head` has of a file; a `checked` of undefined counts as none. */
async function factsOf(store: DurableStore, key: StoreKey): Promise<FileFacts | undefined> {
  const facts = await store.head(key);
  if (!facts) return undefined;
  const { checked, etag, size } = facts;
  return { size, etag, ...(checked && { checked }) };
}

async function listed(store: DurableStore, prefix: string, after?: string): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  for await (const file of store.list(prefix, after)) files.push(file);
  return files;
}

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
        equal(await factsOf(store, key), { size, etag: `"of ${size}"` });
      }
    },
  },
  {
    claim: 'a file is read with what a checksum database has of it, where one was asked',
    async check(store) {
      for (const checked of ['h1:abc=', 'uncovered', undefined] as const) {
        const key = newKey();
        const facts = checked ? { checked } : {};
        await store.write(key, { bytes: someBytes(3), etag: '"e"', ...facts }, 'create');
        const file = await store.read(key);
        equal([file?.checked, await bytesIn(file)], [checked, someBytes(3)]);
        equal(await factsOf(store, key), { size: 3, etag: '"e"', ...facts });
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
      equal(await factsOf(store, key), { size: 10, etag: '"3"' });
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
    claim: 'create never replaces a file, and its result says so',
    async check(store) {
      const key = newKey();
      const one = { bytes: someBytes(10, 1), etag: '"one"' };
      const two = { bytes: someBytes(20, 2), etag: '"two"' };
      equal(await store.write(key, one, 'create'), true);
      equal(await store.write(key, two, 'create'), false);
      const file = await store.read(key);
      equal(file?.etag, '"one"');
      equalBytes(await bytesIn(file), someBytes(10, 1));
    },
  },
  {
    claim: 'replace replaces the bytes and the etag',
    async check(store) {
      const key = newKey('list');
      const one = { bytes: someBytes(10, 1), etag: '"one"' };
      const two = { bytes: someBytes(20, 2), etag: '"two"' };
      equal(await store.write(key, one, 'replace'), true);
      equal(await store.write(key, two, 'replace'), true);
      equal(await factsOf(store, key), { size: 20, etag: '"two"' });
      equalBytes(await bytesIn(await store.read(key)), someBytes(20, 2));
    },
  },
  {
    claim: 'a range is that part of the file, and the size is that of the whole file',
    async check(store) {
      const key = newKey();
      const bytes = someBytes(1000);
      await store.write(key, { bytes, etag: '"e"' }, 'create');
      const ranges = [
        { asked: { offset: 0, length: 1 }, served: 1 },
        { asked: { offset: 999, length: 1 }, served: 1 },
        { asked: { offset: 10, length: 500 }, served: 500 },
        { asked: { offset: 0, length: 1000 }, served: 1000 },
        { asked: { offset: 990, length: 100 }, served: 10 },
      ];
      for (const { asked, served } of ranges) {
        const { offset } = asked;
        const file = await store.read(key, asked);
        equal([file?.size, file?.etag, file?.range], [1000, '"e"', { offset, length: served }]);
        equalBytes(await bytesIn(file), bytes.subarray(offset, offset + served));
      }
    },
  },
  {
    claim: 'all files with a prefix are listed with their sizes, more than a thousand too',
    async check(store) {
      const prefix = newKey('');
      const files = Array.from({ length: 1050 }, (_, at) => ({
        key: `${prefix}v1.0.${at}.info`,
        size: at % 3,
      }));
      for (let at = 0; at < files.length; at += 50) {
        await Promise.all(
          files
            .slice(at, at + 50)
            .map(({ key, size }) =>
              store.write(key as StoreKey, { bytes: someBytes(size), etag: '"e"' }, 'create'),
            ),
        );
      }
      await store.write(newKey(), { bytes: someBytes(1), etag: '"e"' }, 'create');
      equal(
        await listed(store, prefix),
        files.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
      );
    },
  },
  {
    claim: 'files are listed by the UTF-8 bytes of their keys',
    async check(store) {
      const prefix = newKey('');
      // In the order of UTF-16 the last two would be the other way round.
      const names = ['!a.info', 'A.info', 'a.info', 'a/b.info', '\uffee.info', '\u{1f6a2}.info'];
      for (const name of names.toReversed()) {
        await store.write(`${prefix}${name}` as StoreKey, fileOf(1), 'create');
      }
      equal(
        (await listed(store, prefix)).map(({ key }) => key.slice(prefix.length)),
        names,
      );
    },
  },
  {
    claim: 'files are listed from behind a key, which need not be there any more',
    async check(store) {
      const prefix = newKey('');
      const keys = ['a', 'b', 'b/c', 'd'].map((name) => `${prefix}${name}` as typeof prefix);
      for (const key of keys)
        await store.write(key, { bytes: someBytes(1), etag: '"e"' }, 'create');
      for (const [after, from] of [
        ['a', 1],
        ['b', 2],
        ['bb', 3],
        ['d', 4],
      ] as const) {
        equal(
          (await listed(store, prefix, prefix + after)).map(({ key }) => key),
          keys.slice(from),
        );
      }
    },
  },
  {
    claim: 'nothing is listed for a prefix that no key has',
    async check(store) {
      equal(await listed(store, newKey('')), []);
    },
  },
];

/** Of an upload with its size declared, and of one without. */
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
          equal(await factsOf(store, key), { size: length, etag: `"up ${length}"` });
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
        equal(await factsOf(store, key), { size: 10, etag: '"first"' });
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
