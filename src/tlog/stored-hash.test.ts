import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { bytes } from '../../test/fakes/effects/values.ts';
import {
  completeTrees,
  equalHashes,
  nodeHash,
  pairHash,
  recordHash,
  splitStoredHashIndex,
  storedHashIndex,
} from './stored-hash.ts';

const base64 = (hash: Uint8Array) => Buffer.from(hash).toString('base64');

describe('hashes', () => {
  it('of a record and of a node are those of x/mod', () => {
    expect(base64(recordHash(''))).toBe('bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=');
    const [a, b] = [recordHash('a\n'), recordHash(bytes('b\n'))];
    expect(base64(nodeHash(a, b))).toBe('m3LFXpeNd4t1tMjR8R2UnLOxvr8SE2zKc+/hIk0LdsY=');
    expect(pairHash(Uint8Array.of(...a, ...b))).toEqual(nodeHash(a, b));
  });

  it('of a record and of a node over the same bytes differ, so that neither passes for the other', () => {
    const [left, right] = [recordHash('a\n'), recordHash('b\n')];
    expect(recordHash(Uint8Array.of(...left, ...right))).not.toEqual(nodeHash(left, right));
  });

  it('of a text are those of its UTF-8', () => {
    const expected = createHash('sha256').update('\0𐐀é\n').digest();
    expect(equalHashes(recordHash('𐐀é\n'), expected)).toBe(true);
  });

  it('are equal only in all of 32 bytes', () => {
    const hash = recordHash('a\n');
    expect(equalHashes(hash, new Uint8Array(hash))).toBe(true);
    expect(hash.every((byte, at) => !equalHashes(hash, hash.with(at, byte ^ 1)))).toBe(true);
    expect(equalHashes(hash, hash.slice(0, 31))).toBe(false);
    expect(equalHashes(hash.slice(0, 31), hash)).toBe(false);
    expect(equalHashes(new Uint8Array(), new Uint8Array())).toBe(false);
  });
});

describe('the stored hash index', () => {
  // Computed by StoredHashIndex of x/mod, with which test/e2e/note-judge.test.ts compares more.
  const known: readonly (readonly [level: number, n: number, index: number])[] = [
    [0, 0, 0],
    [0, 1, 1],
    [1, 0, 2],
    [0, 2, 3],
    [0, 3, 4],
    [2, 0, 6],
    [0, 255, 502],
    [8, 0, 510],
    [0, 256, 511],
    [0, 49_516_585, 99_033_158],
    [0, 2 ** 26, 2 ** 27 - 1],
    [26, 0, 2 ** 27 - 2],
    [0, 2 ** 32 - 1, 2 ** 33 - 34],
    [0, 2 ** 32, 2 ** 33 - 1],
    [32, 0, 2 ** 33 - 2],
    [8, 2 ** 24, 2 ** 33 + 509],
    [0, 2 ** 40, 2 ** 41 - 1],
    [0, 2 ** 40 + 1, 2 ** 41],
    [40, 0, 2 ** 41 - 2],
    [0, 2 ** 52 - 1, 2 ** 53 - 54],
  ];

  it.each(known)('of node %d:%d is %d, and back', (level, n, index) => {
    expect(storedHashIndex(level, n)).toBe(index);
    expect(splitStoredHashIndex(index)).toEqual({ level, n });
  });

  it('numbers the nodes in the order in which they come to exist', () => {
    const nodes: { level: number; n: number }[] = [];
    for (let record = 0; record < 2000; record++) {
      for (let level = 0; (record + 1) % 2 ** level === 0; level++) {
        nodes.push({ level, n: (record + 1) / 2 ** level - 1 });
      }
    }
    expect(nodes.map(({ level, n }) => storedHashIndex(level, n))).toEqual(
      nodes.map((_, index) => index),
    );
    expect(nodes.map((_, index) => splitStoredHashIndex(index))).toEqual(nodes);
  });

  it.each([2 ** 26, 2 ** 31, 2 ** 32, 2 ** 40, 2 ** 52])(
    'has no gap and no overlap around %d',
    (middle) => {
      for (let index = middle - 300; index < middle + 300; index++) {
        const { level, n } = splitStoredHashIndex(index);
        expect(storedHashIndex(level, n)).toBe(index);
      }
    },
  );

  it.each([
    [0, -1],
    [-1, 0],
    [0, 0.5],
    [0.5, 0],
    [0, Number.NaN],
    [0, Number.POSITIVE_INFINITY],
    [2000, 0],
    [52, 1],
    [0, 2 ** 52 + 1],
    [0, Number.MAX_SAFE_INTEGER],
  ])('of node %d:%d does not exist', (level, n) => {
    expect(() => storedHashIndex(level, n)).toThrow(RangeError);
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('%d is refused', (index) => {
    expect(() => splitStoredHashIndex(index)).toThrow(RangeError);
  });
});

describe('complete trees', () => {
  it.each([
    [0, 0, []],
    [0, 1, ['0:0']],
    [0, 13, ['3:0', '2:2', '0:12']],
    [8, 15, ['2:2', '1:6', '0:14']],
    [0, 2 ** 40 + 2 ** 32 + 1, ['40:0', '32:256', '0:1103806595072']],
    [2 ** 40, 2 ** 40 + 2 ** 31 + 2 ** 30, ['31:512', '30:1026']],
  ])('of the records %d to %d are %j', (start, end, expected) => {
    expect(completeTrees({ start, end }).map(({ level, n }) => `${level}:${n}`)).toEqual(expected);
  });
});
