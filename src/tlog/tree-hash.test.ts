import { describe, expect, it } from 'vitest';
import { nodesOf, readerOf } from '../../test/fakes/sumdb/tree-nodes.ts';
import { nodeHash, storedHashIndex } from './stored-hash.ts';
import { treeHash } from './tree-hash.ts';

const NODES = nodesOf(7);
const read = readerOf(NODES);
const leaf = (id: number) => NODES[storedHashIndex(0, id)] ?? new Uint8Array();

describe('the hash of a tree', () => {
  it('of seven records is the one in the drawing of RFC 6962, section 2.1.3', async () => {
    const left = nodeHash(nodeHash(leaf(0), leaf(1)), nodeHash(leaf(2), leaf(3)));
    const right = nodeHash(nodeHash(leaf(4), leaf(5)), leaf(6));
    expect(await treeHash(7, read)).toEqual(nodeHash(left, right));
  });

  it('of no records is the hash of nothing', async () => {
    const hash = await treeHash(0, () => Promise.reject(new Error('nothing is to be read')));
    expect(Buffer.from(hash).toString('base64')).toBe(
      '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=',
    );
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('of %d records does not exist', async (size) => {
    await expect(treeHash(size, read)).rejects.toThrow(RangeError);
  });

  it('is not computed from fewer hashes than it takes', async () => {
    await expect(treeHash(7, async (indexes) => (await read(indexes)).slice(1))).rejects.toThrow(
      '2 hashes for 3',
    );
  });
});
