import { expect, it } from 'vitest';
import { readExactly } from './source.ts';
import type { ByteSource } from '../../bytes/byte-source.ts';

const BYTES = Uint8Array.of(1, 2, 3, 4);

it('a read of another length than requested is an error', async () => {
  const source = { size: 4, read: async () => BYTES };
  expect(await readExactly(source, { offset: 0, length: 4 })).toBe(BYTES);
  await expect(readExactly(source, { offset: 1, length: 3 })).rejects.toThrow(
    'Cannot read a zip: asked for 3 bytes at 1 and got 4',
  );
});

it('memory is used by a source that can, and by no other', async () => {
  const memory = new ArrayBuffer(4);
  const source: ByteSource = { size: 4, read: async () => BYTES };
  const reusing: ByteSource = {
    ...source,
    readInto: async (_, length, given) => new Uint8Array(given, 0, length),
  };
  const range = { offset: 0, length: 4, memory };
  expect((await readExactly(reusing, range)).buffer).toBe(memory);
  expect(await readExactly(source, range)).toBe(BYTES);
});
