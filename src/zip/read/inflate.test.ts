import { constants, createDeflateRaw, deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { noise } from '../../../test/fakes/zip/zip-writer.ts';
import { failed, success } from '../../effects/result.ts';
import { inflate, inflatePieces } from './inflate.ts';

async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function* failing(): AsyncGenerator<Uint8Array> {
  yield deflateRawSync(noise(3000)).subarray(0, 100);
  throw new Error('disk');
}

/** A quarter of a gigabyte of zeros is a quarter of a megabyte, deflated. */
async function bomb(): Promise<Uint8Array> {
  const deflate = createDeflateRaw({ level: constants.Z_BEST_COMPRESSION });
  const chunks: Uint8Array[] = [];
  deflate.on('data', (chunk: Uint8Array) => chunks.push(chunk));
  const zeros = new Uint8Array(2 ** 24);
  for (let index = 0; index < 16; index++)
    await new Promise((resolve) => deflate.write(zeros, resolve));
  await new Promise((resolve) => deflate.once('end', resolve).end());
  return Buffer.concat(chunks);
}

describe('inflate', () => {
  it('returns the content', () => {
    const content = noise(100_000);
    expect(inflate(deflateRawSync(content), content.length)).toEqual(success(Buffer.from(content)));
  });

  it('stops at the declared size: a bomb takes no memory', async () => {
    const deflated = await bomb();
    const before = process.memoryUsage.rss();
    expect(inflate(deflated, 1000)).toEqual(failed('declares 1000 bytes and has more'));
    expect(inflate(deflated, 0)).toEqual(failed('declares 0 bytes and has more'));
    expect(process.memoryUsage.rss() - before).toBeLessThan(100_000_000);
  });
});

describe('inflatePieces', () => {
  it.each([1, 1000, 1e7])(
    'returns the content of pieces of %i bytes, and ignores what follows',
    async (length) => {
      const content = noise(3000);
      const deflated = Buffer.concat([deflateRawSync(content), noise(3 * 1024)]);
      const taken: Uint8Array[] = [];
      const take = (bytes: Uint8Array) => void taken.push(bytes.slice());
      expect(await inflatePieces(inPieces(deflated, length), content.length, take)).toEqual(
        success(undefined),
      );
      expect(Buffer.concat(taken)).toEqual(Buffer.from(content));
    },
  );

  it.each([
    ['no data', new Uint8Array(), 'holds deflate data that ends too early'],
    [
      'data that is cut',
      deflateRawSync(noise(3000)).subarray(0, -1),
      'holds deflate data that ends too early',
    ],
    ['damaged data', Uint8Array.of(7, 7, 7), 'holds damaged deflate data'],
  ])('refuses %s with a reason', async (_, deflated, reason) => {
    expect(await inflatePieces(inPieces(deflated, 100), 3000, () => undefined)).toEqual(
      failed(reason),
    );
  });

  it('stops soon after the declared size, and reads no further piece', async () => {
    const deflated = await bomb();
    let taken = 0;
    let read = 0;
    async function* pieces(): AsyncGenerator<Uint8Array> {
      for await (const piece of inPieces(deflated, 100_000)) {
        read++;
        yield piece;
      }
    }
    const outcome = await inflatePieces(
      pieces(),
      2_000_000,
      (bytes) => void (taken += bytes.length),
    );
    expect(outcome).toEqual(failed('declares 2000000 bytes and has more'));
    expect(taken).toBeLessThanOrEqual(2_000_000);
    expect(read).toBe(1);
  });

  it('rejects when the pieces do', async () => {
    await expect(inflatePieces(failing(), 3000, () => undefined)).rejects.toThrow('disk');
  });
});
