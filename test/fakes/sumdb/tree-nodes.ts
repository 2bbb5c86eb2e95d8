import {
  nodeHash,
  recordHash,
  splitStoredHashIndex,
  storedHashIndex,
} from '../../../src/tlog/stored-hash.ts';
import type { ReadHashes } from '../../../src/tlog/tree-hash.ts';

/** All nodes of a tree of `size` records, by stored hash index. */
export function nodesOf(size: number): readonly Uint8Array[] {
  const nodes: Uint8Array[] = [];
  for (let id = 0; id < size; id++) {
    nodes.push(recordHash(`record ${id}\n`));
    for (let level = 1; (id + 1) % 2 ** level === 0; level++) {
      const n = (id + 1) / 2 ** level - 1;
      const [left, right] = [2 * n, 2 * n + 1].map(
        (child) => nodes[storedHashIndex(level - 1, child)],
      );
      nodes.push(nodeHash(left ?? new Uint8Array(), right ?? new Uint8Array()));
    }
  }
  return nodes;
}

/** Reads the stored hashes from `nodes`. */
export function readerOf(nodes: readonly Uint8Array[]): ReadHashes {
  return async (indexes) => indexes.map((index) => nodes[index] ?? new Uint8Array());
}

/** Reads made-up hashes, one for each index, of a log that is too large to build. */
export const readMadeUp: ReadHashes = async (indexes) =>
  indexes.map((index) => {
    const { level, n } = splitStoredHashIndex(index);
    return recordHash(`${level} ${n}`);
  });
