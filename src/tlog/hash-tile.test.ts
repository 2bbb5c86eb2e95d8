import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../test/fakes/effects/seeded-random.ts';
import { type HashPairs, hashPairsNatively, HashTile } from './hash-tile.ts';
import { nodeHash } from './stored-hash.ts';

const random = seededRandom(7);
const hashes = (count: number) => Uint8Array.from({ length: count * 32 }, () => random.below(256));

/** The node by the definition, from the hashes themselves. */
function nodeOf(bytes: Uint8Array, height: number, n: number): Uint8Array {
  return height === 0
    ? bytes.slice(n * 32, (n + 1) * 32)
    : nodeHash(nodeOf(bytes, height - 1, 2 * n), nodeOf(bytes, height - 1, 2 * n + 1));
}

describe.each([1, 2, 3, 100, 208, 255, 256])('a tile of %d hashes', (width) => {
  const bytes = hashes(width);

  it('has each node that is complete, and no other', () => {
    const tile = new HashTile(bytes);
    for (let height = 8; height >= 0; height--) {
      const count = Math.floor(width / 2 ** height);
      const some = [0, count - 1, random.below(count + 1)].filter((n) => n >= 0 && n < count);
      for (const n of some)
        expect(tile.node(height, n)).toEqual(new Uint8Array(nodeOf(bytes, height, n)));
      expect(() => tile.node(height, count)).toThrow(RangeError);
    }
  });
});

it('a tile is hashed once, and not at all for its own hashes', () => {
  let count = 0;
  const counting: HashPairs = (pairs) => {
    count += pairs.length / 64;
    return hashPairsNatively(pairs);
  };
  const tile = new HashTile(hashes(256), counting);
  tile.node(0, 17);
  expect(count).toBe(0);
  tile.node(8, 0);
  tile.node(8, 0);
  tile.node(3, 5);
  expect(count).toBe(255);
});
