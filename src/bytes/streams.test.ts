import { describe, expect, it } from 'vitest';
import { scriptedStream } from '../../test/fakes/effects/byte-source.ts';
import { bytesOf, discard, readInto } from './streams.ts';

const BYTES = Uint8Array.of(1, 2, 3, 4, 5);
const pieces = () => [BYTES.slice(0, 2), BYTES.slice(2)];
const broken = () => scriptedStream(pieces(), { breaksWith: new Error('reset') });

describe('a body', () => {
  it('in memory or as a stream is read whole', async () => {
    expect(await bytesOf(BYTES)).toBe(BYTES);
    expect(await bytesOf(scriptedStream(pieces()))).toEqual(BYTES);
  });

  it.each([3, 5, 8])('is read into memory, at most %d bytes of it', async (length) => {
    const memory = new ArrayBuffer(16);
    const read = await readInto(memory, BYTES, { length });
    expect(read).toEqual(BYTES.slice(0, length));
    expect(read.buffer).toBe(memory);
    const streamed = await readInto(memory, scriptedStream(pieces()), { length });
    expect(streamed).toEqual(BYTES.slice(0, length));
    expect(memory.detached).toBe(true);
  });

  it('that breaks off rejects, whichever way it is read', async () => {
    await expect(bytesOf(broken())).rejects.toThrow('reset');
    await expect(readInto(new ArrayBuffer(8), broken(), { length: 8 })).rejects.toThrow('reset');
  });

  it('that is discarded is cancelled', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    discard(scriptedStream(pieces(), { onCancel: resolve }));
    await promise;
    expect(() => discard(BYTES)).not.toThrow();
  });
});
