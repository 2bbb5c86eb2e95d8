import { describe, expect, it } from 'vitest';
import { bytesOf } from '../../bytes/streams.ts';
import { openPipe } from './pipe.ts';

/** Writes `chunks` from one piece of memory, which is used over and over, and closes the pipe. */
async function send(writable: WritableStream<Uint8Array>, chunks: readonly (readonly number[])[]) {
  const writer = writable.getWriter();
  const memory = new Uint8Array(8);
  for (const chunk of chunks) {
    memory.set(chunk);
    await writer.write(memory.subarray(0, chunk.length));
    memory.fill(0xee);
  }
  await writer.close();
}

describe('a pipe', () => {
  it.each([undefined, 5])('of the size %s gives what was written, as a copy', async (size) => {
    const { readable, writable } = openPipe(size);
    const [bytes] = await Promise.all([
      bytesOf(readable),
      send(writable, [
        [1, 2],
        [3, 4, 5],
      ]),
    ]);
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3, 4, 5));
  });

  it.each([
    ['closed early', [[1, 2]]],
    [
      'given too much',
      [
        [1, 2],
        [3, 4],
      ],
    ],
  ])('that is %s fails on both sides', async (_, chunks) => {
    const { readable, writable } = openPipe(3);
    const ends = await Promise.allSettled([bytesOf(readable), send(writable, chunks)]);
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });
});
