import type { CacheStore, NearStore } from '../../src/store/contract.ts';
import { bytesIn, type Claim, equal, equalBytes, newKey, someBytes } from './claims.ts';

/** The contract of a cache in src/store/contract.ts, as long as it evicts nothing. */
export const cacheClaims: readonly Claim<CacheStore>[] = [
  {
    claim: 'a file that is not there is undefined',
    async check(store) {
      equal(await store.read(newKey('v1.0.0.mod')), undefined);
    },
  },
  {
    claim: 'a file is read as it was written, with its size and etag, an empty one too',
    async check(store) {
      for (const size of [0, 1, 100_000, 2_000_000]) {
        const key = newKey('v1.0.0.mod');
        await store.write(key, { bytes: someBytes(size), etag: `"of ${size}"` });
        const file = await store.read(key);
        equal({ size: file?.size, etag: file?.etag }, { size, etag: `"of ${size}"` });
        equalBytes(await bytesIn(file), someBytes(size));
      }
    },
  },
  {
    claim: 'a second write replaces the first one',
    async check(store) {
      const key = newKey('list');
      await store.write(key, { bytes: someBytes(10, 1), etag: '"one"' });
      await store.write(key, { bytes: someBytes(20, 2), etag: '"two"' });
      const file = await store.read(key);
      equal(file?.etag, '"two"');
      equalBytes(await bytesIn(file), someBytes(20, 2));
    },
  },
  {
    claim: 'a file is read with what a checksum database has of it, where one was asked',
    async check(store) {
      for (const checked of ['h1:abc=', 'uncovered', undefined] as const) {
        const key = newKey('v1.0.0.mod');
        await store.write(key, {
          bytes: someBytes(3),
          etag: '"e"',
          ...(checked ? { checked } : {}),
        });
        const file = await store.read(key);
        equal(
          { checked: file?.checked, bytes: await bytesIn(file) },
          { checked, bytes: someBytes(3) },
        );
      }
    },
  },
  {
    claim: 'a file that is removed is gone, and removing one that never was there is no error',
    async check(store) {
      const key = newKey('v1.0.0.mod');
      await store.write(key, { bytes: someBytes(10), etag: '"one"' });
      await store.remove(key);
      await store.remove(key);
      equal(await store.read(key), undefined);
    },
  },
  {
    claim: 'a key as long as module paths can be is stored or not, and never an error',
    async check(store) {
      for (const length of [450, 485, 600, 1500]) {
        const key = newKey(`${'x'.repeat(length)}.mod`);
        await store.write(key, { bytes: someBytes(5), etag: '"e"' });
        const file = await store.read(key);
        if (file) equalBytes(await bytesIn(file), someBytes(5));
      }
    },
  },
];

export interface Edge {
  readonly store: NearStore;
  /** Moves the clock that the store was given. */
  readonly pass: (seconds: number) => Promise<void>;
}

const missing = { status: 410, text: 'gone: Ä "x"\n', origin: 'a.example' } as const;

/** What the near tier, the cache of a data centre, promises besides. */
export const edgeClaims: readonly Claim<Edge>[] = [
  {
    claim: 'a file that is streamed in is read as it was',
    async check({ store }) {
      for (const size of [1, 3_000_000]) {
        const key = newKey();
        const body = new Blob([someBytes(size) as BlobPart]).stream();
        await store.writeStream(key, { body, size, etag: '"s"' });
        const file = await store.read(key);
        equal({ size: file?.size, etag: file?.etag }, { size, etag: '"s"' });
        equalBytes(await bytesIn(file), someBytes(size));
      }
    },
  },
  {
    claim: 'a file is gone after its seconds, and not before',
    async check({ store, pass }) {
      const key = newKey('list');
      await store.write(key, { bytes: someBytes(5), etag: '"e"' }, 60);
      await pass(59);
      equalBytes(await bytesIn(await store.read(key)), someBytes(5));
      await pass(1);
      equal(await store.read(key), undefined);
    },
  },
  {
    claim: 'a file without seconds stays for months',
    async check({ store, pass }) {
      const key = newKey();
      await store.write(key, { bytes: someBytes(5), etag: '"e"' });
      await pass(100 * 86_400);
      equalBytes(await bytesIn(await store.read(key)), someBytes(5));
    },
  },
  {
    claim: 'a negative entry is kept with its text for its seconds',
    async check({ store, pass }) {
      const key = newKey();
      equal(await store.readMissing(key), undefined);
      await store.writeMissing(key, missing, 30);
      await pass(29);
      equal(await store.readMissing(key), missing);
      await pass(1);
      equal(await store.readMissing(key), undefined);
    },
  },
  {
    claim: 'a negative entry and a file of the same key do not affect each other',
    async check({ store }) {
      const key = newKey();
      await store.writeMissing(key, missing, 30);
      equal(await store.read(key), undefined);
      await store.write(key, { bytes: someBytes(5), etag: '"e"' });
      equal(await store.readMissing(key), missing);
      equalBytes(await bytesIn(await store.read(key)), someBytes(5));
    },
  },
  {
    claim: 'names that differ only by case, by escape or by slash are different files',
    async check({ store }) {
      const names = [
        'A.mod',
        'a.mod',
        '!a.mod',
        '%41.mod',
        '%2541.mod',
        'a/b.mod',
        'a%2Fb.mod',
        'a.mod?x',
        'a.mod#x',
      ];
      const prefix = newKey('');
      const keys = names.map((name) => `${prefix}${name}` as typeof prefix);
      for (const [at, key] of keys.entries())
        await store.write(key, { bytes: someBytes(5, at), etag: `"${at}"` });
      for (const [at, key] of keys.entries()) equal((await store.read(key))?.etag, `"${at}"`);
    },
  },
];
