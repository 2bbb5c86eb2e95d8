import { describe, expect, it, vi } from 'vitest';
import { proveTree } from '../../../src/tlog/proof.ts';
import {
  equalHashes,
  nodeHash,
  recordHash,
  storedHashIndex,
} from '../../../src/tlog/stored-hash.ts';
import { treeHash } from '../../../src/tlog/tree-hash.ts';
import { seededRandom } from '../effects/seeded-random.ts';
import { checkRecord, checkTree, proveRecord } from './proof-check.ts';
import { nodesOf, readerOf, readMadeUp } from './tree-nodes.ts';

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
    [0, [b, h, l]],
    [3, [c, g, l]],
    [4, [f, j, k]],
    [6, [i, k]],
  ])('has the audit path of record %d', async (id, path) => {
    expect(await proveRecord(7, id, read)).toEqual(path);
    expect(checkRecord(path, { size: 7, id, treeHash: root, recordHash: leaf(id) })).toBe(true);
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
  it('records are proven, and none in another place, with another text or by another proof', async () => {
    for (let size = 1; size <= SIZE; size++) {
      const root = await treeHash(size, read);
      for (const id of [0, size - 1, random.below(size), random.below(size)]) {
        const claim = { size, id, treeHash: root, recordHash: leaf(id) };
        const proof = await proveRecord(size, id, read);
        const other = (id + 1 + random.below(size)) % (size + 1);
        const accepted = {
          right: checkRecord(proof, claim),
          damaged: proof.length > 0 && checkRecord(damageOne(proof), claim),
          shorter: proof.length > 0 && checkRecord(proof.slice(0, -1), claim),
          longer: checkRecord([...proof, root], claim),
          root: checkRecord(proof, { ...claim, treeHash: random.damage(root) }),
          record: checkRecord(proof, { ...claim, recordHash: random.damage(leaf(id)) }),
          place: checkRecord(proof, { ...claim, id: other }),
        };
        expect({ size, id, other, accepted: namesOf(accepted) }).toEqual({
          size,
          id,
          other,
          accepted: ['right'],
        });
      }
    }
  });
});

describe('an attack', () => {
  it('with hashes of 31 and 33 bytes, which are hashed alike, proves nothing', async () => {
    const [left, right] = [leaf(0), leaf(1)];
    const [short, long] = [left.slice(0, 31), Uint8Array.of(left[31] ?? 0, ...right)];
    const root = nodeHash(left, right);
    expect(equalHashes(nodeHash(short, long), root)).toBe(true);
    expect(checkRecord([long], { size: 2, id: 0, treeHash: root, recordHash: short })).toBe(false);
    expect(checkTree([long], { newSize: 2, newHash: root, oldSize: 1, oldHash: short })).toBe(
      false,
    );
  });

  it('with hashes of other lengths proves nothing, though the trees were made to fit them', () => {
    const [short, right, left] = [leaf(2).slice(0, 31), leaf(3), leaf(4)];
    const [oldHash, newHash] = [nodeHash(left, short), nodeHash(left, nodeHash(short, right))];
    expect(checkTree([short, right, left], { newSize: 4, newHash, oldSize: 3, oldHash })).toBe(
      false,
    );
  });

  it('with more of a proof than its trees have proves nothing, though the hashes fit', async () => {
    const [oldHash, hash] = [await treeHash(3, read), await treeHash(4, read)];
    const proof = await proveTree(4, 3, read);
    const claim = { newSize: 4, newHash: nodeHash(hash, leaf(5)), oldSize: 3, oldHash };
    expect(checkTree([...proof, leaf(5)], claim)).toBe(false);
  });

  it('with a node in place of a record fails against the size in the tree head', async () => {
    const root = await treeHash(4, read);
    const node = NODES[storedHashIndex(1, 0)] ?? root;
    const [, sibling = root] = await proveRecord(4, 0, read);
    const claim = { size: 2, id: 0, treeHash: root, recordHash: node };
    expect(checkRecord([sibling], claim)).toBe(true); // a tree of two records has the same root, but the tree head says four
    expect(checkRecord([sibling], { ...claim, size: 4 })).toBe(false);
  });

  it.each([
    ['no records', 0, 0],
    ['a record beyond the tree', 7, 7],
    ['a negative record', 7, -1],
    ['half a record', 7, 0.5],
    ['no number', Number.NaN, 0],
    ['an endless tree', Number.POSITIVE_INFINITY, 0],
  ])('with %s proves nothing', async (_, size, id) => {
    const hash = leaf(0);
    expect(checkRecord([], { size, id, treeHash: hash, recordHash: hash })).toBe(false);
    await expect(proveRecord(size, id, read)).rejects.toThrow(RangeError);
  });
});

describe.each([2 ** 26, 2 ** 32, 2 ** 40])('around %d records', (middle) => {
  it.each([-1, 0, 1, 12_345])(
    'a tree of %d more has proofs as long as it is deep',
    async (more) => {
      const size = middle + more;
      const depth = Math.round(Math.log2(middle)) + (more > 0 ? 1 : 0);
      expect((await proveRecord(size, 0, readMadeUp)).length).toBe(depth);
    },
  );

  // Where the number is odd, nothing but the right edge is above the last record: made up, but
  // consistent.
  it.each([-1, 1, 12_345])('a tree of %d more has its last record', async (more) => {
    const size = middle + more;
    const claim = { size, id: size - 1, treeHash: await treeHash(size, readMadeUp) };
    const proof = await proveRecord(size, size - 1, readMadeUp);
    expect(checkRecord(proof, { ...claim, recordHash: recordHash(`0 ${size - 1}`) })).toBe(true);
    expect(checkRecord(proof, { ...claim, recordHash: recordHash(`0 ${size - 2}`) })).toBe(false);
  });
});
