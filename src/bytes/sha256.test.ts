import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { sha256, startSha256 } from './sha256.ts';

it.each([
  ['nothing', []],
  ['one part', [5]],
  ['parts that fit together', [1, 32, 32]],
  ['parts that just fill the memory in which they are joined', [64, 64]],
  ['a short part, a long one and a short one', [3, 1000, 4]],
])('the hash of %s is that of their bytes in order', (_, lengths) => {
  const parts = lengths.map((length, at) => new Uint8Array(length).fill(at + 1));
  expect(Buffer.from(sha256(...parts)).toString('hex')).toBe(
    createHash('sha256').update(Buffer.concat(parts)).digest('hex'),
  );
});

it('a copy of a running hash goes on by itself', () => {
  const running = startSha256();
  running.update(Uint8Array.of(1));
  const copy = running.copy();
  copy.update(Uint8Array.of(2));
  expect(copy.digest()).toEqual(sha256(Uint8Array.of(1, 2)));
  expect(running.digest()).toEqual(sha256(Uint8Array.of(1)));
});
