import { sha256 } from '../bytes/sha256.ts';
import {
  completeTrees,
  isCount,
  joinTrees,
  type RecordRange,
  storedHashIndex,
} from './stored-hash.ts';

/** RFC 6962, section 2.1. */
const EMPTY_TREE = sha256();

/** Reads nodes by their stored hash indexes, and returns as many hashes in the same order. */
export type ReadHashes = (indexes: readonly number[]) => Promise<readonly Uint8Array[]>;

/** The hash of the tree of the first `size` records, read at once. */
export async function treeHash(size: number, readHashes: ReadHashes): Promise<Uint8Array> {
  if (!isCount(size)) throw new RangeError(`Cannot hash a tree of ${size} records`);
  const [hash = EMPTY_TREE] = await readRanges(
    size === 0 ? [] : [{ start: 0, end: size }],
    readHashes,
  );
  return hash;
}

/** The hash of each of the ranges. One read for all of them. */
export async function readRanges(
  ranges: readonly RecordRange[],
  readHashes: ReadHashes,
): Promise<readonly Uint8Array[]> {
  const trees = ranges.map(completeTrees);
  const indexes = trees.flat().map(({ level, n }) => storedHashIndex(level, n));
  const hashes = indexes.length === 0 ? [] : await readHashes(indexes);
  if (hashes.length !== indexes.length) {
    throw new Error(`Cannot use ${hashes.length} hashes for ${indexes.length} indexes`);
  }
  const rest = [...hashes];
  return trees.map(({ length }) => joinTrees(rest.splice(0, length)));
}
