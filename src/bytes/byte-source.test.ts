import { expect, it } from 'vitest';
import { bytesSource } from './byte-source.ts';

const BYTES = Uint8Array.of(1, 2, 3, 4);

it('a file in memory is read without a copy', async () => {
  const read = await bytesSource(BYTES).read(1, 2);
  expect(read).toEqual(Uint8Array.of(2, 3));
  expect(read.buffer).toBe(BYTES.buffer);
});

it.each([
  [-1, 1],
  [0, -1],
  [3, 2],
])('a file in memory has no bytes at %d, %d long', async (offset, length) => {
  await expect(bytesSource(BYTES).read(offset, length)).rejects.toThrow(RangeError);
});
