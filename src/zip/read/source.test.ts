import { expect, it } from 'vitest';
import { bytesSource, readExactly, type ZipSource } from './source.ts';

const BYTES = Uint8Array.of(1, 2, 3, 4);

it('a zip in memory is read without a copy', async () => {
  const read = await bytesSource(BYTES).read(1, 2);
  expect(read).toEqual(Uint8Array.of(2, 3));
  expect(read.buffer).toBe(BYTES.buffer);
});

it.each([
  [-1, 1],
  [0, -1],
  [3, 2],
])('a zip in memory has no bytes at %d, %d long', async (offset, length) => {
  await expect(bytesSource(BYTES).read(offset, length)).rejects.toThrow(RangeError);
});

it('a read of another length than requested is an error', async () => {
  const source = { size: 4, read: async () => BYTES };
  expect(await readExactly(source, { offset: 0, length: 4 })).toBe(BYTES);
  await expect(readExactly(source, { offset: 1, length: 3 })).rejects.toThrow(
    'Cannot read a zip: asked for 3 bytes at 1 and got 4',
  );
});

it('memory is used by a source that can, and by no other', async () => {
  const memory = new ArrayBuffer(4);
  const source: ZipSource = { size: 4, read: async () => BYTES };
  const reusing: ZipSource = {
    ...source,
    readInto: async (_, length, given) => new Uint8Array(given, 0, length),
  };
  const range = { offset: 0, length: 4, memory };
  expect((await readExactly(reusing, range)).buffer).toBe(memory);
  expect(await readExactly(source, range)).toBe(BYTES);
});
