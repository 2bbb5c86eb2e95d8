import { describe, expect, it, vi } from 'vitest';
import { seededRandom } from '../../test/fakes/effects/seeded-random.ts';
import { checkTree } from '../../test/fakes/sumdb/proof-check.ts';
import { nodesOf, readerOf, readMadeUp } from '../../test/fakes/sumdb/tree-nodes.ts';
import { proveTree } from './proof.ts';
import { nodeHash, recordHash, storedHashIndex } from './stored-hash.ts';
import { treeHash } from './tree-hash.ts';

// This takes a second or two on an idle machine.
vi.setConfig({ testTimeout: 60_000 });

const SIZE = 600;
const NODES = nodesOf(SIZE);
const read = readerOf(NODES);
const leaf = (id: number) => NODES[storedHashIndex(0, id)] ?? new Uint8Array();

describe('the tree of seven records of RFC 6962, section 2.1.3', () => {
  const [a, b, c, d] = [leaf(0), leaf(1), leaf(2), leaf(3)];
  const [e, f, j] = [leaf(4), leaf(5), leaf(6)];
  const [g, h, i] = [nodeHash(a, b), nodeHash(c, d), nodeHash(e, f)];
  const [k, l] = [nodeHash(g, h), nodeHash(i, j)];
  const root = nodeHash(k, l);

  it.each([
    [3, [c, d, g, l]],
    [4, [l]],
    [6, [i, j, k]],
    [7, []],
  ])('has the consistency proof of the tree of %d', async (oldSize, proof) => {
    expect(await proveTree(7, oldSize, read)).toEqual(proof);
    const oldHash = await treeHash(oldSize, read);
    expect(checkTree(proof, { newSize: 7, newHash: root, oldSize, oldHash })).toBe(true);
  });
});

const random = seededRandom(2);

function damageOne(proof: readonly Uint8Array[]): readonly Uint8Array[] {
  const at = random.below(proof.length);
  return proof.map((hash, index) => (index === at ? random.damage(hash) : hash));
}

const namesOf = (accepted: Readonly<Record<string, boolean>>) =>
  Object.keys(accepted).filter((name) => accepted[name]);

describe('in trees of every size up to 600', () => {
  it('older trees are proven, and none with another hash, of another size or by another proof', async () => {
    for (let newSize = 1; newSize <= SIZE; newSize++) {
      const newHash = await treeHash(newSize, read);
      for (const oldSize of [1, newSize, 1 + random.below(newSize), 1 + random.below(newSize)]) {
        const oldHash = await treeHash(oldSize, read);
        const claim = { newSize, newHash, oldSize, oldHash };
        const proof = await proveTree(newSize, oldSize, read);
        const accepted = {
          right: checkTree(proof, claim),
          damaged: proof.length > 0 && checkTree(damageOne(proof), claim),
          shorter: proof.length > 0 && checkTree(proof.slice(0, -1), claim),
          longer: checkTree([...proof, newHash], claim),
          newHash: checkTree(proof, { ...claim, newHash: random.damage(newHash) }),
          oldHash: checkTree(proof, { ...claim, oldHash: random.damage(oldHash) }),
          fork: checkTree(proof, { ...claim, newHash: recordHash('x'), oldHash: recordHash('y') }),
        };
        expect({ newSize, oldSize, accepted: namesOf(accepted) }).toEqual({
          newSize,
          oldSize,
          accepted: ['right'],
        });
      }
    }
  });

  it('every pair of sizes up to 64 is proven', async () => {
    for (let newSize = 1; newSize <= 64; newSize++) {
      const newHash = await treeHash(newSize, read);
      for (let oldSize = 1; oldSize <= newSize; oldSize++) {
        const claim = { newSize, newHash, oldSize, oldHash: await treeHash(oldSize, read) };
        expect(checkTree(await proveTree(newSize, oldSize, read), claim)).toBe(true);
      }
    }
  });
});

describe('a proof of an older tree', () => {
  it.each([
    ['an empty old tree', 7, 0],
    ['an old tree that is larger', 7, 8],
    ['a negative tree', 7, -1],
    ['half a record', 7, 0.5],
    ['an endless tree', Number.POSITIVE_INFINITY, 1],
  ])('is refused for %s', async (_, newSize, oldSize) => {
    const hash = leaf(0);
    expect(checkTree([], { newSize, newHash: hash, oldSize, oldHash: hash })).toBe(false);
    await expect(proveTree(newSize, oldSize, read)).rejects.toThrow(RangeError);
  });

  it.each(
    [2 ** 26, 2 ** 32, 2 ** 40].flatMap((middle) =>
      [-1, 0, 1, 12_345].map((more) => [middle, more] as const),
    ),
  )('in a tree of %d%+d records is as long as that is deep', async (middle, more) => {
    const depth = Math.round(Math.log2(middle)) + (more > 0 ? 1 : 0);
    expect((await proveTree(middle + more, 1, readMadeUp)).length).toBe(depth);
  });
});
