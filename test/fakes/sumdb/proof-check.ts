/**
 * The computations of an auditor of a log: it makes inclusion proofs, and checks inclusion and
 * consistency proofs. modferry itself reads tiles, and makes only the proof of a fork. The checks
 * follow the algorithms of RFC 9162 and share no code with src, so that they do not repeat an error
 * of src.
 */
import { createHash } from 'node:crypto';
import { type ReadHashes, readRanges } from '../../../src/tlog/tree-hash.ts';

const HASH_BYTES = 32;

/** The claim that a tree has a record. */
export interface RecordClaim {
  readonly size: number;
  readonly id: number;
  /** The hash of the tree of `size` records. */
  readonly treeHash: Uint8Array;
  readonly recordHash: Uint8Array;
}

/** The claim that the new tree begins with the old one. */
export interface TreeClaim {
  readonly newSize: number;
  readonly newHash: Uint8Array;
  readonly oldSize: number;
  readonly oldHash: Uint8Array;
}

/**
 * The inclusion proof of record `id` in the tree of `size` records: PATH of RFC 6962, section
 * 2.1.1. Rejects with `RangeError` if the tree has no such record.
 */
export async function proveRecord(
  size: number,
  id: number,
  readHashes: ReadHashes,
): Promise<readonly Uint8Array[]> {
  if (!isRecord(size, id)) throw new RangeError(`Cannot prove record ${id} of a tree of ${size}`);
  return readRanges(siblings(0, size, id), readHashes);
}

/** The subtrees of the tree [start, end) beside the path to the record, from the bottom up. */
function siblings(start: number, end: number, id: number): { start: number; end: number }[] {
  if (end - start === 1) return [];
  let middle = start + 1;
  while (start + 2 * (middle - start) < end) middle = start + 2 * (middle - start);
  return id < middle
    ? [...siblings(start, middle, id), { start: middle, end }]
    : [...siblings(middle, end, id), { start, end: middle }];
}

/** Whether `proof` shows that the record is in the tree. Source: RFC 9162, section 2.1.3.2. */
export function checkRecord(proof: readonly Uint8Array[], claim: RecordClaim): boolean {
  const { id, recordHash, size, treeHash } = claim;
  if (!isRecord(size, id) || !areHashes([...proof, recordHash])) return false;
  const at = { node: id, last: size - 1 };
  let hash = recordHash;
  for (const sibling of proof) {
    if (at.last === 0) return false;
    climbToSibling(at);
    hash = isRight(at) ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
    climb(at);
  }
  return at.last === 0 && isSame(hash, treeHash);
}

/**
 * Whether `proof` shows that the new tree begins with the old one. Source: RFC 9162, section
 * 2.1.4.2.
 */
export function checkTree(proof: readonly Uint8Array[], claim: TreeClaim): boolean {
  const { newHash, newSize, oldHash, oldSize } = claim;
  if (!isCount(newSize) || !isCount(oldSize) || oldSize < 1 || oldSize > newSize) return false;
  if (oldSize === newSize) return proof.length === 0 && isSame(oldHash, newHash);
  const [bottom, ...above] = isPowerOfTwo(oldSize) ? [oldHash, ...proof] : proof;
  if (!bottom || !areHashes([bottom, ...above])) return false;

  const at = { node: oldSize - 1, last: newSize - 1 };
  while (isRight(at)) climb(at);
  let [inOld, inNew] = [bottom, bottom];
  for (const sibling of above) {
    if (at.last === 0) return false;
    climbToSibling(at);
    if (isRight(at)) {
      inOld = nodeHash(sibling, inOld);
      inNew = nodeHash(sibling, inNew);
    } else {
      inNew = nodeHash(inNew, sibling);
    }
    climb(at);
  }
  return at.last === 0 && isSame(inOld, oldHash) && isSame(inNew, newHash);
}

/** The number of a node, and of the last node of its level. */
interface Place {
  node: number;
  last: number;
}

/** A last node that is on the left has no sibling: its parent has the same hash. */
function climbToSibling(at: Place): void {
  if (at.node === at.last) while (!isRight(at) && at.node > 0) climb(at);
}

function isRight({ node }: Place): boolean {
  return node % 2 === 1;
}

function climb(at: Place): void {
  at.node = Math.floor(at.node / 2);
  at.last = Math.floor(at.last / 2);
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return createHash('sha256').update(Uint8Array.of(1)).update(left).update(right).digest();
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return areHashes([a, b]) && Buffer.compare(a, b) === 0;
}

function isPowerOfTwo(value: number): boolean {
  return (BigInt(value) & (BigInt(value) - 1n)) === 0n;
}

function isRecord(size: number, id: number): boolean {
  return isCount(size) && isCount(id) && id < size;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/**
 * A node hash has no separator: hashes of 31 and 33 bytes would give the same node as 32 and 32.
 */
function areHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every(({ length }) => length === HASH_BYTES);
}
