/**
 * The arithmetic of a transparency log: a binary tree of hashes over records that are only ever
 * appended (RFC 6962, section 2).
 *
 * Node `n` of level `l` is the hash of the records [n·2^l, (n+1)·2^l), and exists as soon as the
 * last of them does. It never changes again. All nodes in the order in which they come to exist are
 * numbered, which is their stored hash index: record 0, record 1, the node above both, record 2,
 * and so on. A tree whose size is no power of two is made of complete ones, from the left and each
 * smaller than the one before: 13 records are 8, 4 and 1.
 *
 * Sizes are safe integers, so nothing here may shift bits: JavaScript shifts 32 bits only, and a
 * log such as sum.golang.org can outgrow them.
 *
 * Source: golang.org/x/mod/sumdb/tlog.
 */
import { equalBytes } from '../bytes/equal.ts';
import { sha256, SHA256_BYTES } from '../bytes/sha256.ts';

/** In bytes. */
export const HASH_LENGTH = SHA256_BYTES;

/** The first bytes differ, so that no record can pass for a node (RFC 6962, section 2.1). */
const RECORD_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/** Node `n` of a level. Level 0 has the hashes of the records. */
export interface TreeNode {
  readonly level: number;
  readonly n: number;
}

/** The hash of a record with this text. */
export function recordHash(text: Uint8Array | string): Uint8Array {
  return sha256(RECORD_PREFIX, typeof text === 'string' ? new TextEncoder().encode(text) : text);
}

/** The hash of the node above two others. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE_PREFIX, left, right);
}

/** The hash of the node above two others that lie side by side in memory, 64 bytes. */
export function pairHash(pair: Uint8Array): Uint8Array {
  return sha256(NODE_PREFIX, pair);
}

/** Whether both are hashes of 32 bytes, and the same. */
export function equalHashes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === HASH_LENGTH && equalBytes(a, b);
}

/**
 * The stored hash index of a node. Throws `RangeError` if it is no safe integer, from record 2^52
 * on.
 */
export function storedHashIndex(level: number, n: number): number {
  // A node is numbered right after the last record below it and the nodes between the two. Before
  // record `last` there are `last` others, half as many nodes of level 1, and so on.
  const last = (n + 1) * 2 ** level - 1;
  let index = level;
  if (isCount(level) && isCount(n) && isCount(last)) {
    for (let count = last; count > 0; count = Math.floor(count / 2)) index += count;
    if (isCount(index)) return index;
  }
  throw new RangeError(`Cannot number node ${n} of level ${level}`);
}

/** The node with this stored hash index. Throws `RangeError` if that is no safe integer. */
export function splitStoredHashIndex(index: number): TreeNode {
  if (!isCount(index)) throw new RangeError(`Cannot split the stored hash index ${index}`);
  // Before record n there are less than 2n nodes, so the record that completed this node is number
  // index/2 or a little later.
  let record = Math.floor(index / 2);
  let start = storedHashIndex(0, record);
  for (;;) {
    const next = start + 1 + trailingZeros(record + 1);
    if (next > index) break;
    record += 1;
    start = next;
  }
  const level = index - start;
  return { level, n: Math.floor(record / 2 ** level) };
}

/** Neighbouring records, `end` not included, below one node of the tree whose hash is wanted. */
export interface RecordRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The complete trees that a range of records is made of, from left to right, each smaller than the
 * one before. The range must begin where the largest of them can.
 */
export function completeTrees({ start, end }: RecordRange): readonly TreeNode[] {
  const nodes: TreeNode[] = [];
  for (let at = start; at < end;) {
    const level = floorLog2(end - at);
    nodes.push({ level, n: at / 2 ** level });
    at += 2 ** level;
  }
  return nodes;
}

/** The hash above complete trees of falling size: the smallest ones are joined first. */
export function joinTrees(hashes: readonly Uint8Array[]): Uint8Array {
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

/**
 * The level of the largest complete tree of at most `count` records, 1 or more. `Math.log2` is off
 * by one near powers of two.
 */
function floorLog2(count: number): number {
  let level = 0;
  while (2 ** (level + 1) <= count) level += 1;
  return level;
}

/** Whether `value` is a safe integer from 0 on. */
export function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

function trailingZeros(value: number): number {
  let zeros = 0;
  for (let rest = value; rest % 2 === 0; rest /= 2) zeros += 1;
  return zeros;
}
