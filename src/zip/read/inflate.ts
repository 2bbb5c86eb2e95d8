// Raw deflate (RFC 1951) in native code: workerd and Node both have `node:zlib`. The web's
// DecompressionStream alone is not enough: it refuses bytes after the end of the stream, which
// archive/zip ignores.
//
// A few hundred bytes inflate to a megabyte, and the author of a zip may declare any size. So
// output is bounded by what was declared, and what zlib throws becomes a reason: text that follows
// the name of the entry.

import { createInflateRaw, inflateRawSync } from 'node:zlib';
import { isUnshared } from '../../bytes/unshared.ts';
import { failed, type Result, success } from '../../effects/result.ts';

const DAMAGED = 'holds damaged deflate data';
const CUT = 'holds deflate data that ends too early';

function tooMuch(size: number): string {
  return `declares ${size} bytes and has more`;
}

/**
 * workerd collects output in steps of 40 KiB and counts the whole step against the limit: without
 * this slack it would refuse 50,000 bytes at a limit of 50,000.
 */
const SLACK_BYTES = 64 * 1024;

/**
 * Returns the content of `deflated`, at most `size` bytes of it, or a reason. Less than `size` is
 * no error here, and what follows the end of the deflate stream is ignored.
 */
export function inflate(deflated: Uint8Array, size: number): Result<Uint8Array> {
  try {
    // One byte more than needed in the only chunk: a full chunk would make zlib ask for a second.
    const chunkSize = Math.max(64, size + 1);
    const content = inflateRawSync(deflated, { maxOutputLength: size + SLACK_BYTES, chunkSize });
    return content.length > size ? failed(tooMuch(size)) : success(content);
  } catch (error) {
    return failed(error instanceof RangeError ? tooMuch(size) : reasonOf(error));
  }
}

/**
 * Bytes of output at a time. One window of a zip may inflate to gigabytes.
 */
const CHUNK_BYTES = 256 * 1024;

/** Memory of an earlier call of `inflateLean`, for the next one. */
let spare: ArrayBuffer | undefined;

/**
 * What `inflateLean` found. `unsure`: the platform's stream cannot read into memory, or it refused
 * the data. It also refuses what Go ignores, so `inflatePieces` has to decide.
 */
export type LeanOutcome =
  | { readonly kind: 'inflated' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'unsure' };

const UNSURE: LeanOutcome = { kind: 'unsure' };

/**
 * As `inflatePieces`, without leaving all that comes out to the garbage collector, which in workerd
 * runs late: an isolate has 128 MB.
 */
export async function inflateLean(
  pieces: AsyncIterable<Uint8Array>,
  size: number,
  take: (content: Uint8Array) => void,
): Promise<LeanOutcome> {
  const { readable, writable } = new DecompressionStream('deflate-raw');
  const reader = openReader(readable);
  if (!reader) return UNSURE;
  const fed = feed(pieces, writable.getWriter());
  let memory = spare ?? new ArrayBuffer(CHUNK_BYTES);
  spare = undefined;
  try {
    for (let length = 0; ;) {
      const { done, value } = await reader.read(new Uint8Array(memory));
      if (!value) return UNSURE;
      length += value.length;
      if (length > size) return { kind: 'refused', reason: tooMuch(size) };
      take(value);
      memory = value.buffer;
      if (done) break;
    }
    return { kind: 'inflated' };
  } catch {
    return UNSURE;
  } finally {
    if (memory.byteLength === CHUNK_BYTES) spare = memory;
    await reader.cancel().catch(() => undefined);
    await fed; // until then the pieces are still being read
  }
}

/** A reader that reads into given memory; Node's stream has none. */
function openReader(readable: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return readable.getReader({ mode: 'byob' });
  } catch {
    return undefined;
  }
}

async function feed(
  pieces: AsyncIterable<Uint8Array>,
  writer: WritableStreamDefaultWriter<BufferSource>,
): Promise<void> {
  try {
    for await (const piece of pieces) {
      if (!isUnshared(piece)) throw new TypeError('Cannot inflate shared memory');
      await writer.write(piece);
    }
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
  }
}

/**
 * Inflates deflate data in pieces, and calls `take` with the content in pieces, which it must not
 * keep. Fails with a reason if it cannot; stops at once when more than `size` bytes come out.
 * Rejects only if `pieces` does.
 */
export async function inflatePieces(
  pieces: AsyncIterable<Uint8Array>,
  size: number,
  take: (content: Uint8Array) => void,
): Promise<Result<void>> {
  const stream = createInflateRaw({ chunkSize: CHUNK_BYTES });
  const { promise: ended, resolve: end } = Promise.withResolvers<Result<void>>();
  let length = 0;
  stream.on('data', (content: Uint8Array) => {
    length += content.length;
    if (length <= size) return take(content);
    end(failed(tooMuch(size)));
    stream.destroy();
  });
  stream.on('end', () => end(success(undefined)));
  stream.on('error', (error) => end(failed(reasonOf(error))));
  try {
    for await (const piece of pieces) {
      // After the end of the deflate stream zlib may never call back for a write.
      const outcome = await Promise.race([ended, written(stream, piece)]);
      if (outcome) return outcome;
    }
    stream.end();
    return await ended;
  } finally {
    stream.destroy();
  }
}

function written(
  stream: ReturnType<typeof createInflateRaw>,
  piece: Uint8Array,
): Promise<undefined> {
  // An error reaches the listener too, which has the reason.
  return new Promise((resolve) => stream.write(piece, (error) => error ?? resolve(undefined)));
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.message === 'unexpected end of file' ? CUT : DAMAGED;
}
