import { HASH_LENGTH, pairHash } from './stored-hash.ts';

/**
 * The hash of the node above each two neighbouring hashes, one after the other. The length of
 * `hashes` is a multiple of 64.
 */
export type HashPairs = (hashes: Uint8Array) => Uint8Array;

/** `HashPairs` in native code, a call for each pair. */
export const hashPairsNatively: HashPairs = (hashes) => {
  const above = new Uint8Array(hashes.length / 2);
  for (let at = 0; at < above.length; at += HASH_LENGTH) {
    above.set(pairHash(hashes.subarray(2 * at, 2 * (at + HASH_LENGTH))), at);
  }
  return above;
};

/**
 * The bytes of a tile of hashes, which are not to be changed, and the nodes above them. A full tile
 * has 255 of those. They are computed once, when the first of them is needed: an isolate that
 * remembers the tile proves the next record without hashing it again. That the tile belongs to a
 * tree is not remembered here: each proof compares its top with the tile above.
 */
export class HashTile {
  readonly bytes: Uint8Array;
  readonly #hashPairs: HashPairs;
  /** By height above the hashes, the nodes that are complete. */
  readonly #levels: Uint8Array[];

  constructor(bytes: Uint8Array, hashPairs: HashPairs = hashPairsNatively) {
    this.bytes = bytes;
    this.#hashPairs = hashPairs;
    this.#levels = [bytes];
  }

  /**
   * The node above the hashes [n·2^height, (n+1)·2^height). Throws `RangeError` if there are not so
   * many.
   */
  node(height: number, n: number): Uint8Array {
    let top = this.bytes;
    for (let at = 1; at <= height; at += 1) {
      const pairs = Math.floor(top.length / (2 * HASH_LENGTH));
      top = this.#levels[at] ??= this.#hashPairs(top.subarray(0, pairs * 2 * HASH_LENGTH));
    }
    // `slice` of a Buffer, which Node's functions return, is no copy.
    const hash = new Uint8Array(top.subarray(n * HASH_LENGTH, (n + 1) * HASH_LENGTH));
    if (hash.length === HASH_LENGTH) return hash;
    throw new RangeError(`Cannot take node ${n} of height ${height} from this tile`);
  }
}
