/**
 * Proofs that a record is in a tree, and that a tree is the beginning of another one (RFC 6962,
 * sections 2.1.1 and 2.1.2).
 *
 * Both are made on a walk from the root of the tree down to where the record is, or where the old
 * tree ends. At each node on the way one half is entered; the other one is a sibling, whose hash
 * goes into the proof. With these hashes the verifier computes the way back up to the root. A proof
 * lists them from the bottom up.
 *
 * Source: golang.org/x/mod/sumdb/tlog.
 */
import { equalHashes, HASH_LENGTH, isCount, nodeHash, type RecordRange } from './stored-hash.ts';
import { type ReadHashes, readRanges } from './tree-hash.ts';

/** The half that was not entered, and on which side it lies. */
interface Sibling extends RecordRange {
  readonly side: 'left' | 'right';
}

/** The way down a tree until `isEnd` holds, as siblings from the bottom up, and where it ended. */
function walk(
  size: number,
  { isEnd, isLeft }: { isEnd: (at: RecordRange) => boolean; isLeft: (middle: number) => boolean },
): { readonly siblings: readonly Sibling[]; readonly end: RecordRange } {
  const siblings: Sibling[] = [];
  let at: RecordRange = { start: 0, end: size };
  while (!isEnd(at)) {
    const { start, end } = at;
    const middle = start + leftSize(end - start);
    const isLeftEntered = isLeft(middle);
    siblings.unshift(
      isLeftEntered ? { start: middle, end, side: 'right' } : { start, end: middle, side: 'left' },
    );
    at = isLeftEntered ? { start, end: middle } : { start: middle, end };
  }
  return { siblings, end: at };
}

/** The largest power of two less than `count`, 2 or more: how many records are in the left half. */
function leftSize(count: number): number {
  let size = 1;
  while (size * 2 < count) size *= 2;
  return size;
}

function wayToRecord(size: number, id: number) {
  return walk(size, {
    isEnd: ({ start, end }) => end - start === 1,
    isLeft: (middle) => id < middle,
  });
}

function wayToOldTree(newSize: number, oldSize: number) {
  return walk(newSize, {
    isEnd: ({ end }) => end === oldSize,
    isLeft: (middle) => oldSize <= middle,
  });
}

/** A record in a tree. */
export interface RecordClaim {
  readonly size: number;
  readonly id: number;
  /** That of the tree. */
  readonly treeHash: Uint8Array;
  readonly recordHash: Uint8Array;
}

/**
 * The proof that the tree of `size` records has a certain record at `id`. Throws `RangeError` if it
 * has none there. Source: golang.org/x/mod/sumdb/tlog ProveRecord.
 */
export async function proveRecord(
  size: number,
  id: number,
  readHashes: ReadHashes,
): Promise<readonly Uint8Array[]> {
  if (!isRecord(size, id)) throw new RangeError(`Cannot prove record ${id} of a tree of ${size}`);
  return readRanges(wayToRecord(size, id).siblings, readHashes);
}

/**
 * Whether `proof` shows that the record is in the tree. Source: golang.org/x/mod/sumdb/tlog
 * CheckRecord.
 */
export function checkRecord(proof: readonly Uint8Array[], claim: RecordClaim): boolean {
  const { id, recordHash, size, treeHash } = claim;
  if (!isRecord(size, id)) return false;
  const { siblings } = wayToRecord(size, id);
  if (proof.length !== siblings.length || !areHashes([...proof, recordHash])) return false;
  let hash = recordHash;
  for (const [at, sibling] of proof.entries()) {
    hash = siblings[at]?.side === 'left' ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
  }
  return equalHashes(hash, treeHash);
}

/** Two trees, the old one of which is said to be the beginning of the new one. */
export interface TreeClaim {
  readonly newSize: number;
  readonly newHash: Uint8Array;
  readonly oldSize: number;
  readonly oldHash: Uint8Array;
}

/**
 * The proof that the tree of `newSize` records begins with that of `oldSize`, which is 1 or more.
 * Throws `RangeError` for other sizes. Source: golang.org/x/mod/sumdb/tlog ProveTree.
 */
export async function proveTree(
  newSize: number,
  oldSize: number,
  readHashes: ReadHashes,
): Promise<readonly Uint8Array[]> {
  if (!areSizes(newSize, oldSize)) {
    throw new RangeError(`Cannot prove a tree of ${oldSize} records in one of ${newSize}`);
  }
  const { siblings, end } = wayToOldTree(newSize, oldSize);
  // Where the old tree is the left edge of the new one, the verifier knows its hash.
  return readRanges(end.start === 0 ? siblings : [end, ...siblings], readHashes);
}

/**
 * Whether `proof` shows that the new tree begins with the old one. Source:
 * golang.org/x/mod/sumdb/tlog CheckTree.
 */
export function checkTree(proof: readonly Uint8Array[], claim: TreeClaim): boolean {
  const { newHash, newSize, oldHash, oldSize } = claim;
  if (!areSizes(newSize, oldSize)) return false;
  const { siblings, end } = wayToOldTree(newSize, oldSize);
  const [bottom, ...above] = end.start === 0 ? [oldHash, ...proof] : proof;
  if (!bottom || above.length !== siblings.length || !areHashes([bottom, ...above])) return false;
  // What is on the left of the way is in both trees, what is on the right in the new one alone.
  let [inOld, inNew] = [bottom, bottom];
  for (const [at, sibling] of above.entries()) {
    const isLeft = siblings[at]?.side === 'left';
    if (isLeft) inOld = nodeHash(sibling, inOld);
    inNew = isLeft ? nodeHash(sibling, inNew) : nodeHash(inNew, sibling);
  }
  return equalHashes(inOld, oldHash) && equalHashes(inNew, newHash);
}

function isRecord(size: number, id: number): boolean {
  return isCount(size) && isCount(id) && id < size;
}

function areSizes(newSize: number, oldSize: number): boolean {
  return isCount(newSize) && isCount(oldSize) && oldSize >= 1 && oldSize <= newSize;
}

/** 31 and 33 bytes would be hashed like 32 and 32: a node has no mark between its halves. */
function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every(({ length }) => length === HASH_LENGTH);
}
