/**
 * The proof that a tree is the beginning of another one (RFC 6962, section 2.1.2). It makes the
 * fork of a log evident: it shows with which tree of the older size the newer tree really begins.
 *
 * The proof is made on a walk from the root of the newer tree down to where the older one ends. At
 * each node the walk enters one half, and the hash of the other half goes into the proof. The
 * verifier computes the way back up to both roots. A proof lists the hashes from the bottom up.
 */
import { isCount, type RecordRange } from './stored-hash.ts';
import { type ReadHashes, readRanges } from './tree-hash.ts';

/**
 * The proof that the tree of `newSize` records begins with that of `oldSize`, which is 1 or more.
 * Throws `RangeError` for other sizes. Source: golang.org/x/mod/sumdb/tlog ProveTree.
 */
export async function proveTree(
  newSize: number,
  oldSize: number,
  readHashes: ReadHashes,
): Promise<readonly Uint8Array[]> {
  if (!isCount(newSize) || !isCount(oldSize) || oldSize < 1 || oldSize > newSize) {
    throw new RangeError(`Cannot prove a tree of ${oldSize} records in one of ${newSize}`);
  }
  const ranges: RecordRange[] = [];
  let [start, end] = [0, newSize];
  while (end !== oldSize) {
    const middle = start + leftSize(end - start);
    if (oldSize <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  // Where the old tree is the left edge of the new one, the verifier has its hash already.
  if (start > 0) ranges.push({ start, end });
  return readRanges(ranges.toReversed(), readHashes);
}

/** The largest power of two less than `count`, 2 or more: how many records are in the left half. */
function leftSize(count: number): number {
  let size = 1;
  while (size * 2 < count) size *= 2;
  return size;
}
