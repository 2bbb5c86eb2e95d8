import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  countsOf,
  fakeTree,
  flipped,
  memoryTree,
  run,
  wrongKeys,
} from '../../../test/fakes/store/audited-tree.ts';
import type { ListedFile } from '../../store/contract.ts';
import { compareKeys, listedKey } from '../../store/key.ts';
import { openRanged, readWhole } from '../../store/stored-tree.ts';
import { directoryStore } from './directory-store.ts';

describe('a directory', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'modferry-directory-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function write(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    for (const [key, bytes] of files) {
      await mkdir(dirname(join(root, key)), { recursive: true });
      await writeFile(join(root, key), bytes);
    }
  }

  async function listed(prefix = ''): Promise<ListedFile[]> {
    const files: ListedFile[] = [];
    for await (const file of directoryStore(root).list(prefix)) files.push(file);
    return files;
  }

  it('lists every file with its size, in the order of keys', async () => {
    const keys = ['a-b/x', 'a.b/x', 'a/b/c', 'a/b!c', 'a0', 'z'];
    await write(new Map(keys.map((key, size) => [key, new Uint8Array(size)])));
    await symlink('z', join(root, 'zz'));
    await symlink('.', join(root, 'loop'));
    const found = await listed();
    const expected = [...keys.map((key, size) => ({ key, size })), { key: 'zz', size: 5 }];
    expect(found).toEqual(expected.toSorted((a, b) => compareKeys(a.key, b.key)));
  });

  it.each([
    ['a/', ['a/b!c', 'a/b/c', 'a/b/d']],
    ['a/b', ['a/b!c', 'a/b/c', 'a/b/d']],
    ['a/b/', ['a/b/c', 'a/b/d']],
    ['a/b/d', ['a/b/d']],
    ['b', []],
  ])('lists below the prefix %s %j alone', async (prefix, keys) => {
    await write(new Map(['a.b', 'a/b!c', 'a/b/c', 'a/b/d'].map((key) => [key, new Uint8Array()])));
    expect((await listed(prefix)).map(({ key }) => key)).toEqual(keys);
  });

  it('is read in ranges, and what is missing is undefined', async () => {
    await write(new Map([['a', Uint8Array.of(1, 2, 3, 4)]]));
    const store = directoryStore(root);
    const file = await openRanged(store, listedKey('a'));
    expect(file?.size).toBe(4);
    expect(await file?.read(1, 2)).toEqual(Uint8Array.of(2, 3));
    expect(await file?.readInto(2, 2, new ArrayBuffer(4))).toEqual(Uint8Array.of(3, 4));
    expect(await store.read(listedKey('a'), { offset: 3, length: 2 })).toMatchObject({
      body: Uint8Array.of(4),
      range: { offset: 3, length: 1 },
    });
    expect(await openRanged(store, listedKey('b'))).toBeUndefined();
    expect(await readWhole(store, listedKey('b'))).toBeUndefined();
  });

  it('gives no part of a file that became shorter since it was opened', async () => {
    await write(new Map([['a', Uint8Array.of(1, 2, 3, 4)]]));
    const file = await openRanged(directoryStore(root), listedKey('a'));
    await truncate(join(root, 'a'), 3);
    await expect(file?.read(0, 2)).rejects.toThrow('was replaced while it was read');
  });

  it('is audited and mended as a tree in memory is', async () => {
    const { databases, files } = fakeTree();
    const wrong = ['example.com/dep/@v/v1.0.0.mod', 'example.com/hello/@v/v1.1.0.zip'];
    for (const key of wrong)
      files.set(key, flipped(files.get(key), 100 % (files.get(key)?.length ?? 1)));
    await write(files);
    const progress = await run(directoryStore(root), databases, { fix: true });
    expect(wrongKeys(progress)).toEqual(wrong);
    expect(progress).toEqual(await run(memoryTree(files), databases, { fix: true }));
    const left = await listed();
    const removed = [...wrong, 'example.com/hello/@v/v1.1.0.ziphash'];
    expect(left.map(({ key }) => key)).toEqual(
      [...files.keys()].filter((key) => !removed.includes(key)).toSorted(compareKeys),
    );
    expect(countsOf(await run(directoryStore(root), databases))).toMatchObject({
      zip: { right: 8 },
      mod: { right: 8 },
    });
  });
});
