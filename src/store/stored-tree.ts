import { bytesOf } from '../bytes/streams.ts';
import type { DurableStore } from './contract.ts';
import type { StoreKey } from './key.ts';
import { type RangedFile, rangedFile } from './ranged-file.ts';

/**
 * What operations may touch of stored files: those of a bucket, or of a directory in the layout of
 * `$GOMODCACHE/cache/download`. Every method rejects when the store fails.
 */
export type StoredTree = Pick<DurableStore, 'list' | 'read' | 'head' | 'remove'>;

/** All bytes of a file; undefined where there is none. */
export async function readWhole(
  tree: Pick<StoredTree, 'read'>,
  key: StoreKey,
): Promise<Uint8Array | undefined> {
  const file = await tree.read(key);
  return file && bytesOf(file.body);
}

/** A file, to be read in ranges; undefined where there is none. */
export async function openRanged(
  tree: Pick<StoredTree, 'read' | 'head'>,
  key: StoreKey,
): Promise<RangedFile | undefined> {
  const facts = await tree.head(key);
  return facts && rangedFile(facts, (range) => tree.read(key, range));
}
