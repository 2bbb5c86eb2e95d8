import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../test/fakes/effects/seeded-random.ts';
import { hashPairsNatively } from '../../tlog/hash-tile.ts';
import { assembleSha256Pairs } from './assemble.ts';
import { sha256PairsBy } from './sha256-pairs.ts';

const file = await readFile(join(import.meta.dirname, 'sha256-pairs.wasm'));
const random = seededRandom(3);

it('the file is what its source assembles to', () => {
  // To mend: node src/cli/local/write-wasm.ts
  expect(Buffer.from(assembleSha256Pairs()).equals(file)).toBe(true);
});

describe('the module', () => {
  const hashPairs = sha256PairsBy(new WebAssembly.Module(file));

  it.each([0, 1, 2, 127, 128, 512])('hashes %d pairs as native code does', (count) => {
    for (let run = 0; run < 20; run++) {
      const pairs = Uint8Array.from({ length: 64 * count }, () => random.below(256));
      expect(Buffer.from(hashPairs(pairs)).equals(hashPairsNatively(pairs))).toBe(true);
    }
  });

  it.each([
    ['zeros', 0],
    ['ones', 255],
  ])('hashes %s as native code does', (_, byte) => {
    const pairs = new Uint8Array(128).fill(byte);
    expect(Buffer.from(hashPairs(pairs)).equals(hashPairsNatively(pairs))).toBe(true);
  });

  it.each([63, 96, 64 * 513])('refuses %d bytes', (length) => {
    expect(() => hashPairs(new Uint8Array(length))).toThrow(RangeError);
  });
});
