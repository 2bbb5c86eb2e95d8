import { existsSync } from 'node:fs';
import { open, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type AuditedTree, compareKeys, type ListedFile } from '../../operations/audit/tree.ts';
import { AuditError } from './arguments.ts';

/**
 * The path of the directory without links. Throws `AuditError` when it is none, or one that is laid
 * out otherwise.
 */
export async function checkDirectory(directory: string): Promise<string> {
  const name = JSON.stringify(directory);
  const path = await realpath(directory).catch((error: unknown) => {
    throw new AuditError(`Cannot audit ${name}: ${messageOf(error)}`, { cause: error });
  });
  if (!(await stat(path)).isDirectory())
    throw new AuditError(`Cannot audit ${name}: it is no directory`);
  for (const inner of ['cache/download', 'pkg/mod/cache/download', 'download']) {
    if (!existsSync(join(path, inner))) continue;
    throw new AuditError(
      `Cannot audit ${name}: its module files are in ${join(path, inner)}, name that directory`,
    );
  }
  return path;
}

/**
 * A directory as a tree; keys are paths below it, with slashes. Links to files are followed, links
 * to directories are not.
 */
export function directoryTree(root: string): AuditedTree {
  const path = (key: string) => join(root, key);
  return {
    list: () => walk(root, ''),
    read: (key) => unlessMissing(readFile(path(key))),
    async open(key) {
      const found = await unlessMissing(stat(path(key)));
      if (!found) return undefined;
      return {
        size: found.size,
        read: (offset, length) => readPart(path(key), offset, new ArrayBuffer(length)),
        readInto: (offset, length, memory) => readPart(path(key), offset, memory, length),
      };
    },
    async remove(keys) {
      for (const key of keys) await rm(path(key), { force: true });
    },
  };
}

async function* walk(directory: string, prefix: string): AsyncIterable<ListedFile> {
  const entries = (await readdir(directory, { withFileTypes: true })).map((entry) => ({
    entry,
    // So that "a.b" comes before "a/b", as it does among the keys of a bucket.
    key: prefix + entry.name + (entry.isDirectory() ? '/' : ''),
  }));
  for (const { entry, key } of entries.toSorted((a, b) => compareKeys(a.key, b.key))) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(path, key);
    else {
      const found = await unlessMissing(stat(path));
      if (found?.isFile()) yield { key, size: found.size };
    }
  }
}

async function readPart(
  path: string,
  offset: number,
  memory: ArrayBuffer,
  length = memory.byteLength,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(memory, 0, length);
  const file = await open(path);
  try {
    for (let filled = 0; filled < length;) {
      const { bytesRead } = await file.read(bytes, filled, length - filled, offset + filled);
      if (bytesRead === 0) throw new Error(`${path} became shorter while it was read`);
      filled += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
