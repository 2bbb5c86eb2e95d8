// Raw deflate (RFC 1951) in native code, the only place that names `node:zlib`: workerd and Node
// both have it. The web's DecompressionStream will not do, as it refuses bytes after the end of the
// stream, which archive/zip ignores.
//
// A few hundred bytes inflate to a megabyte, and the author of a zip may declare any size. So
// output is bounded by what was declared, and what zlib throws becomes a reason: text that follows
// the name of the entry.

import { createInflateRaw, inflateRawSync } from 'node:zlib';

/** The CRC-32 of `bytes`, or of what had `before` as its CRC-32 followed by `bytes`. */
export { crc32 } from 'node:zlib';

const DAMAGED = 'holds damaged deflate data';
const CUT = 'holds deflate data that ends too early';

function tooMuch(size: number): string {
  return `declares ${size} bytes and has more`;
}

/**
 * workerd collects output in steps of 40 KiB and counts the room, not what is in it, against the
 * limit: without as much slack it takes 50,000 bytes for more than 50,000.
 */
const SLACK_BYTES = 64 * 1024;

/**
 * Returns the content of `deflated`, at most `size` bytes of it, or a reason. Less than `size` is
 * no error here, and what follows the end of the deflate stream is ignored.
 */
export function inflate(deflated: Uint8Array, size: number): Uint8Array | string {
  try {
    // One byte more than needed in the only chunk: a full chunk would make zlib ask for a second.
    const chunkSize = Math.max(64, size + 1);
    const content = inflateRawSync(deflated, { maxOutputLength: size + SLACK_BYTES, chunkSize });
    return content.length > size ? tooMuch(size) : content;
  } catch (error) {
    return error instanceof RangeError ? tooMuch(size) : reasonOf(error);
  }
}

/**
 * Bytes that come out at a time: many fewer than the gigabytes that one window of a zip may inflate
 * to.
 */
const CHUNK_BYTES = 256 * 1024;

/** Memory that one call of `inflateLean` leaves to the next. */
let spare: ArrayBuffer | undefined;

/**
 * As `inflatePieces`, without leaving all that comes out to the garbage collector, which in workerd
 * comes late: an isolate has 128 MB. Returns `unsure` where the platform's stream cannot do that,
 * or refuses data: it also refuses what Go ignores, so `inflatePieces` has to say.
 */
export async function inflateLean(
  pieces: AsyncIterable<Uint8Array>,
  size: number,
  take: (content: Uint8Array) => void,
): Promise<{ readonly reason: string | undefined } | 'unsure'> {
  const { readable, writable } = new DecompressionStream('deflate-raw');
  const reader = openReader(readable);
  if (!reader) return 'unsure';
  const fed = feed(pieces, writable.getWriter());
  let memory = spare ?? new ArrayBuffer(CHUNK_BYTES);
  spare = undefined;
  try {
    for (let length = 0; ;) {
      const { done, value } = await reader.read(new Uint8Array(memory));
      if (!value) return 'unsure';
      length += value.length;
      if (length > size) return { reason: tooMuch(size) };
      take(value);
      memory = value.buffer;
      if (done) break;
    }
    return { reason: undefined };
  } catch {
    return 'unsure';
  } finally {
    if (memory.byteLength === CHUNK_BYTES) spare = memory;
    await reader.cancel().catch(() => undefined);
    await fed; // nobody else may ask for pieces before
  }
}

/** Only a reader that is given memory is lean, and Node's stream has none. */
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
    for await (const piece of pieces) await writer.write(piece as BufferSource);
    await writer.close();
  } catch (error) {
    await writer.abort(error).catch(() => undefined);
  }
}

/**
 * Inflates what comes in pieces, and gives `take` the content in pieces, which it must not keep.
 * Returns a reason if it cannot; stops at once when more than `size` bytes come out. Rejects only
 * if `pieces` does.
 */
export async function inflatePieces(
  pieces: AsyncIterable<Uint8Array>,
  size: number,
  take: (content: Uint8Array) => void,
): Promise<string | undefined> {
  const stream = createInflateRaw({ chunkSize: CHUNK_BYTES });
  const { promise: ended, resolve: end } = Promise.withResolvers<{ reason: string | undefined }>();
  let length = 0;
  stream.on('data', (content: Uint8Array) => {
    length += content.length;
    if (length <= size) return take(content);
    end({ reason: tooMuch(size) });
    stream.destroy();
  });
  stream.on('end', () => end({ reason: undefined }));
  stream.on('error', (error) => end({ reason: reasonOf(error) }));
  try {
    for await (const piece of pieces) {
      // After the end of the deflate stream zlib may leave a write unanswered.
      const outcome = await Promise.race([ended, written(stream, piece)]);
      if (outcome) return outcome.reason;
    }
    stream.end();
    return (await ended).reason;
  } finally {
    stream.destroy();
  }
}

function written(
  stream: ReturnType<typeof createInflateRaw>,
  piece: Uint8Array,
): Promise<undefined> {
  // An error reaches the listener as well, and says more there.
  return new Promise((resolve) => stream.write(piece, (error) => error ?? resolve(undefined)));
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.message === 'unexpected end of file' ? CUT : DAMAGED;
}
