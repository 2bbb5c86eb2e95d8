import { describe, expect, it, vi } from 'vitest';
import { bigZip, noise, writeZip } from '../../../test/fakes/zip/zip-writer.ts';
import { bodyBytes } from '../../../test/fakes/origin/answer.ts';
import { MAX_HELD_BYTES } from './entry-content.ts';
import { hashZip } from '../hash/hash-zip.ts';
import { bytesSource } from '../../bytes/byte-source.ts';
import { WINDOW_BYTES, Windows } from './windows.ts';

function recorded(bytes: Uint8Array) {
  const source = bytesSource(bytes);
  const reads: number[] = [];
  const read = (offset: number, length: number) => {
    reads.push(offset);
    return source.read(offset, length);
  };
  return { reads, source: { size: bytes.length, read } };
}

const bytes = noise(5 * WINDOW_BYTES + 100);
const end = bytes.length;

describe('Windows', () => {
  it('reads across windows, and no further than the file goes', async () => {
    const windows = new Windows(bytesSource(bytes), { end });
    const at = 2 * WINDOW_BYTES - 5;
    expect(await windows.read(at, 10)).toEqual(bytes.subarray(at, at + 10));
    expect(await windows.read(end - 3, 10)).toEqual(bytes.subarray(-3));
    expect(await windows.read(end, 10)).toHaveLength(0);
    expect(await windows.read(end + WINDOW_BYTES, 10)).toHaveLength(0);
    expect(await windows.read(0, 0)).toHaveLength(0);
  });

  it('reads each window once, the next one ahead', async () => {
    const { reads, source } = recorded(bytes);
    const windows = new Windows(source, { end });
    await windows.read(0, 10);
    expect(reads).toEqual([0, WINDOW_BYTES]);
    for await (const piece of windows.pieces(10, end)) expect(piece.length).toBeGreaterThan(0);
    expect(reads).toEqual([0, 1, 2, 3, 4, 5].map((index) => index * WINDOW_BYTES));
  });

  it('reads nothing ahead beyond its end', async () => {
    const { reads, source } = recorded(bytes);
    await new Windows(source, { end: WINDOW_BYTES }).read(0, 10);
    expect(reads).toEqual([0]);
  });

  it('releases windows behind the place and far ahead of it', async () => {
    const { reads, source } = recorded(bytes);
    const windows = new Windows(source, { end: 0 });
    for (const index of [0, 1, 4]) await windows.read(index * WINDOW_BYTES, 1);
    windows.moveTo(WINDOW_BYTES + 5);
    for (const index of [1, 0, 4]) await windows.read(index * WINDOW_BYTES, 1);
    expect(reads.map((offset) => offset / WINDOW_BYTES)).toEqual([0, 1, 4, 0, 4]);
  });

  it('reports the bytes that it has read', async () => {
    const progress: number[] = [];
    const windows = new Windows(bytesSource(bytes), {
      end,
      onProgress: (bytesRead) => progress.push(bytesRead),
    });
    for await (const piece of windows.pieces(0, end)) expect(piece).toBeInstanceOf(Uint8Array);
    expect(progress).toEqual([1, 2, 3, 4, 5].map((count) => count * WINDOW_BYTES).concat(end));
  });

  it('lets a hash read a zip of thousands of entries in few parts', async () => {
    const entries = Array.from({ length: 3000 }, (_, index) => ({
      name: `${index}`,
      content: noise(3000, index + 1),
    }));
    const { reads, source } = recorded(writeZip(entries));
    expect(await hashZip(source)).toMatchObject({ kind: 'hashed' });
    expect(reads.length).toBe(1 + Math.ceil(source.size / WINDOW_BYTES));
  });

  it('reads each part of a large zip once, in order', async () => {
    const zip = bigZip('example.com/m@v1.0.0/', 30_000_000);
    const { reads, source } = recorded(await bodyBytes(zip));
    expect(await hashZip(source)).toEqual({ kind: 'hashed', h1: zip.h1() });
    expect(reads.slice(1)).toEqual([0, 1, 2, 3, 4, 5, 6, 7].map((index) => index * WINDOW_BYTES));
  });

  it.each(['store', 'deflate'] as const)(
    'lets a hash hold no large file whole, by method %s',
    async (method) => {
      const held = vi.spyOn(Windows.prototype, 'read');
      const zip = writeZip([{ name: 'a', content: noise(MAX_HELD_BYTES + 1), method }]);
      expect(await hashZip(bytesSource(zip))).toMatchObject({ kind: 'hashed' });
      expect(Math.max(...held.mock.calls.map(([, length]) => length))).toBeLessThan(100);
      held.mockRestore();
    },
  );
});

function reusing(content: Uint8Array) {
  const memories = new Set<ArrayBuffer>();
  const source = {
    ...bytesSource(content),
    async readInto(offset: number, length: number, memory: ArrayBuffer) {
      if (memories.has(memory)) throw new Error('memory that was transferred');
      memories.add(memory);
      const view = new Uint8Array(memory.transfer(), 0, length);
      view.set(content.subarray(offset, offset + length));
      return view;
    },
  };
  return { memories, source };
}

describe('a source that reads into memory', () => {
  it('returns the same bytes as without memory', async () => {
    const zip = new Uint8Array(await bodyBytes(bigZip('m@v1.0.0/', 30_000_000)));
    expect(await hashZip(reusing(zip).source)).toEqual(await hashZip(bytesSource(zip)));
  });

  it('is given the memory of released windows', async () => {
    const { source, memories } = reusing(bytes);
    const windows = new Windows(source, { end });
    let sum = 0;
    for await (const piece of windows.pieces(0, end)) sum += piece.length;
    expect([sum, memories.size]).toEqual([end, 6]);
  });
});
