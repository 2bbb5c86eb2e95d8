import type { BigIntStats } from 'node:fs';
import { type FileHandle, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteRange, FileFacts, ListedFile } from '../../store/contract.ts';
import { compareKeys } from '../../store/key.ts';
import type { StoredTree } from '../../store/stored-tree.ts';

/**
 * A directory as a store; keys are paths below it, with slashes. Links to files are followed, links
 * to directories are not. The etag of a file changes with every write to it.
 */
export function directoryStore(root: string): StoredTree {
  const path = (key: string) => join(root, key);
  return {
    async *list(prefix, after) {
      for await (const file of walk(root, '', prefix)) {
        if (after === undefined || compareKeys(file.key, after) > 0) yield file;
      }
    },
    async read(key, wanted) {
      const file = await unlessMissing(open(path(key)));
      if (!file) return undefined;
      try {
        const facts = factsOf(await file.stat({ bigint: true }));
        const range = wanted && clipped(wanted, facts.size);
        const body = await readPart(file, range ?? { offset: 0, length: facts.size });
        if (!body) throw new Error(`${path(key)} became shorter while it was read`);
        return { ...facts, body, range };
      } finally {
        await file.close();
      }
    },
    async head(key) {
      const found = await unlessMissing(stat(path(key), { bigint: true }));
      return found && factsOf(found);
    },
    async remove(keys) {
      for (const key of keys) await rm(path(key), { force: true });
    },
  };
}

/**
 * The files below a directory whose keys begin with `wanted`; `at` is its own key, as in "a/b/".
 */
async function* walk(directory: string, at: string, wanted: string): AsyncGenerator<ListedFile> {
  const entries = (await readdir(directory, { withFileTypes: true })).map((entry) => ({
    entry,
    // So that "a.b" comes before "a/b", as it does among the keys of a bucket.
    key: at + entry.name + (entry.isDirectory() ? '/' : ''),
  }));
  for (const { entry, key } of entries.toSorted((a, b) => compareKeys(a.key, b.key))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) {
      if (key.startsWith(wanted) || wanted.startsWith(key)) yield* walk(path, key, wanted);
    } else if (key.startsWith(wanted)) {
      const found = await unlessMissing(stat(path));
      if (found?.isFile()) yield { key, size: found.size };
    }
  }
}

function factsOf({ ino, mtimeNs, size }: BigIntStats): FileFacts {
  return { size: Number(size), etag: `"${ino}-${mtimeNs}-${size}"` };
}

function clipped({ offset, length }: ByteRange, size: number): ByteRange {
  return { offset, length: Math.min(length, size - offset) };
}

/** The bytes of a range; undefined when the file ends before it does. */
async function readPart(
  file: FileHandle,
  { offset, length }: ByteRange,
): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(length);
  for (let filled = 0; filled < length;) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) return undefined;
    filled += bytesRead;
  }
  return bytes;
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
