import type {
  FileCopy,
  NearStore,
  NegativeCopy,
  StoredFile,
  WorldStore,
} from '../../src/store/contract.ts';
import { bytesIn, type Claim, equal, equalBytes, newKey, someBytes } from './claims.ts';

/** What the near and the world tier have in common. */
type AnyCache = Pick<WorldStore | NearStore, 'read' | 'write' | 'remove'>;

const LIFE = { asOf: 1_700_000_000_000, seconds: 86_400 };

/** The file of a copy; undefined for none, and for a negative entry. */
function fileOf(copy: FileCopy | NegativeCopy | undefined): StoredFile | undefined {
  return copy?.kind === 'file' ? copy.file : undefined;
}

/** The contract of a cache in src/store/contract.ts, as long as it evicts nothing. */
export const cacheClaims: readonly Claim<AnyCache>[] = [
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
        await store.write(key, { bytes: someBytes(size), etag: `"of ${size}"` }, LIFE);
        const file = fileOf(await store.read(key));
        equal({ size: file?.size, etag: file?.etag }, { size, etag: `"of ${size}"` });
        equalBytes(await bytesIn(file), someBytes(size));
      }
    },
  },
  {
    claim: 'a file is read with the time at which it was right',
    async check(store) {
      const key = newKey('v1.0.0.mod');
      await store.write(key, { bytes: someBytes(3), etag: '"e"' }, { ...LIFE, asOf: 12_345 });
      const copy = await store.read(key);
      equal(copy?.asOf, 12_345);
      await bytesIn(fileOf(copy));
    },
  },
  {
    claim: 'a second write replaces the first one',
    async check(store) {
      const key = newKey('list');
      await store.write(key, { bytes: someBytes(10, 1), etag: '"one"' }, LIFE);
      await store.write(key, { bytes: someBytes(20, 2), etag: '"two"' }, LIFE);
      const file = fileOf(await store.read(key));
      equal(file?.etag, '"two"');
      equalBytes(await bytesIn(file), someBytes(20, 2));
    },
  },
  {
    claim: 'a file is read with what a checksum database has of it, where one was asked',
    async check(store) {
      for (const checked of ['h1:abc=', 'uncovered', undefined] as const) {
        const key = newKey('v1.0.0.mod');
        await store.write(
          key,
          {
            bytes: someBytes(3),
            etag: '"e"',
            ...(checked ? { checked } : {}),
          },
          LIFE,
        );
        const file = fileOf(await store.read(key));
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
      await store.write(key, { bytes: someBytes(10), etag: '"one"' }, LIFE);
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
        await store.write(key, { bytes: someBytes(5), etag: '"e"' }, LIFE);
        const file = fileOf(await store.read(key));
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
    claim: 'a file is gone after its seconds, and not before',
    async check({ store, pass }) {
      const key = newKey('list');
      await store.write(key, { bytes: someBytes(5), etag: '"e"' }, { ...LIFE, seconds: 60 });
      await pass(59);
      equalBytes(await bytesIn(fileOf(await store.read(key))), someBytes(5));
      await pass(1);
      equal(await store.read(key), undefined);
    },
  },
  {
    claim: 'a negative entry is kept with its text and its time for its seconds',
    async check({ store, pass }) {
      const key = newKey();
      await store.writeMissing(key, missing, { ...LIFE, seconds: 30 });
      await pass(29);
      equal(await store.read(key), { kind: 'missing', asOf: LIFE.asOf, missing });
      await pass(1);
      equal(await store.read(key), undefined);
    },
  },
  {
    claim: 'a key has a file or a negative entry: the last one that was written',
    async check({ store }) {
      const key = newKey();
      await store.writeMissing(key, missing, LIFE);
      await store.write(key, { bytes: someBytes(5), etag: '"e"' }, LIFE);
      equalBytes(await bytesIn(fileOf(await store.read(key))), someBytes(5));
      await store.writeMissing(key, missing, LIFE);
      equal((await store.read(key))?.kind, 'missing');
      await store.remove(key);
      equal(await store.read(key), undefined);
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
        await store.write(key, { bytes: someBytes(5, at), etag: `"${at}"` }, LIFE);
      for (const [at, key] of keys.entries()) equal(fileOf(await store.read(key))?.etag, `"${at}"`);
    },
  },
];
