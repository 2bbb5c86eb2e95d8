import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
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
import { directoryTree } from '../../cli/audit/directory.ts';
import { compareKeys, type ListedFile } from './tree.ts';

describe('keys', () => {
  it('are in the order of their UTF-8 bytes, not of JavaScript', () => {
    const keys = ['a', 'a.b/c', 'a/b', 'a/b!c', 'b', '\ufb00', '\u{10400}'];
    expect(keys.toReversed().toSorted(compareKeys)).toEqual(keys);
    expect(compareKeys('a', 'a')).toBe(0);
  });
});

describe('a directory', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'modferry-audit-'));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function write(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    for (const [key, bytes] of files) {
      await mkdir(dirname(join(root, key)), { recursive: true });
      await writeFile(join(root, key), bytes);
    }
  }

  it('lists every file with its size, in the order of keys', async () => {
    const keys = ['a-b/x', 'a.b/x', 'a/b/c', 'a/b!c', 'a0', 'z'];
    await write(new Map(keys.map((key, size) => [key, new Uint8Array(size)])));
    await symlink('z', join(root, 'zz'));
    await symlink('.', join(root, 'loop'));
    const found = await listed(root);
    const expected = [...keys.map((key, size) => ({ key, size })), { key: 'zz', size: 5 }];
    expect(found).toEqual(expected.toSorted((a, b) => compareKeys(a.key, b.key)));
  });

  it('is read in ranges, and what is missing is undefined', async () => {
    await write(new Map([['a', Uint8Array.of(1, 2, 3, 4)]]));
    const tree = directoryTree(root);
    const file = await tree.open('a');
    expect(file?.size).toBe(4);
    expect(await file?.read(1, 2)).toEqual(Uint8Array.of(2, 3));
    await expect(file?.read(3, 2)).rejects.toThrow('became shorter');
    expect(await tree.open('b')).toBeUndefined();
    expect(await tree.read('b')).toBeUndefined();
  });

  it('is audited and mended as a tree in memory is', async () => {
    const { databases, files } = fakeTree();
    const wrong = ['example.com/dep/@v/v1.0.0.mod', 'example.com/hello/@v/v1.1.0.zip'];
    for (const key of wrong)
      files.set(key, flipped(files.get(key), 100 % (files.get(key)?.length ?? 1)));
    await write(files);
    const progress = await run(directoryTree(root), databases, { fix: true });
    expect(wrongKeys(progress)).toEqual(wrong);
    expect(progress).toEqual(await run(memoryTree(files), databases));
    const left = await listed(root);
    const removed = [...wrong, 'example.com/hello/@v/v1.1.0.ziphash'];
    expect(left.map(({ key }) => key)).toEqual(
      [...files.keys()].filter((key) => !removed.includes(key)).toSorted(compareKeys),
    );
    expect(countsOf(await run(directoryTree(root), databases))).toMatchObject({
      zip: { right: 8 },
      mod: { right: 8 },
    });
  });
});

async function listed(root: string): Promise<ListedFile[]> {
  const files: ListedFile[] = [];
  for await (const file of directoryTree(root).list()) files.push(file);
  return files;
}
