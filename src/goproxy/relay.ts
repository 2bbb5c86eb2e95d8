/**
 * A large file on its way from an origin to the store and to the client that asked first.
 *
 *     origin -> ring of chunks -> upload to the store    as fast as the origin and the store can
 *                              \> client                 as fast as it likes
 *
 * Nothing may hold such a file in memory: an isolate has 128 MB for all its requests, and a tee of the body would buffer
 * whatever the slower side has not read yet. So the last chunks are kept in a ring. A client that falls further
 * behind than that is waited for a moment, which costs the fill little and suits everybody who is only somewhat slower than
 * the origin. One that is slow is let go of, and goes on from the stored copy at the byte where it stopped: it neither
 * holds the fill up nor loses anything. Without a store the client's own pace is the pace.
 *
 * The last chunk goes nowhere until the whole body was seen to be what it should be. A body that breaks off, or is no
 * zip, ends in a broken stream, never in a short or wrong 200 that looks complete (the go command would take that for an
 * integrity failure and try no other source), and the store keeps nothing of it.
 */
import { type Clock, within } from '../clock.ts';
import type { OriginBody } from '../origins/body.ts';
import type { Upload } from '../store/contract.ts';

/** One read: large enough that JavaScript runs seldom, small enough to keep several. */
export const CHUNK_BYTES = 256 * 1024;

/** Chunks in a ring: 4 MiB, of which the check of the end gets to see the last 3.5 at least. */
export const RING_CHUNKS = 16;

/** Chunks in a ring where memory is short. */
export const SMALL_RING_CHUNKS = 4;

/** Milliseconds that a chunk waits for a client that lags: 2.5 MB/s and more set the pace, less is let go of. */
const PATIENCE = 100;

export interface RelayOptions {
  readonly clock: Clock;
  /** Chunks that are kept. */
  readonly chunks: number;
  readonly body: OriginBody;
  /** What was already read from the body. */
  readonly first: Uint8Array<ArrayBuffer>;
  /** Where the file is stored; absent where there is no store. */
  readonly upload: Upload | undefined;
  /** The client's end. */
  readonly client: WritableStream<Uint8Array>;
  /** Reads the stored file from `offset` to its end `size`, once the upload is committed. */
  readonly resume: (offset: number, size: number) => Promise<ReadableStream<Uint8Array> | undefined>;
  /** Throws when the last bytes of a body of `size` bytes show that it is not what was asked for. */
  readonly checkEnd: (tail: Uint8Array, size: number) => void;
  /** Called for every chunk: the relay is alive. */
  readonly onProgress: () => void;
  /** Told of an upload that failed; the client is served all the same if that is still possible. */
  readonly onUploadError: (error: unknown) => void;
}

/**
 * Runs until the body is stored and the client has it or is gone (`done`). `stored` says whether it was, as soon as that is
 * known. Neither rejects.
 */
export function relay(options: RelayOptions): {
  readonly stored: Promise<boolean>;
  readonly done: Promise<void>;
} {
  const ring = new Ring(options);
  const outcome = Promise.withResolvers<Result>();
  const stored = Promise.withResolvers<boolean>();
  if (!options.upload) stored.resolve(false);
  const onUploadError = (error: unknown) => {
    stored.resolve(false); // whoever waits for the stored copy need not wait for the end
    options.onUploadError(error);
  };
  const fill = pump({ ...options, onUploadError }, ring).then(
    (result) => outcome.resolve(result),
    async (error: unknown) => {
      outcome.resolve({ kind: 'broken', error });
      await Promise.all([options.upload?.abort(error), options.body.cancel(error)]);
    },
  );
  const client = serveClient(options, ring, outcome.promise);
  void outcome.promise.then((result) => stored.resolve(result.kind === 'stored'));
  return {
    stored: stored.promise,
    done: Promise.all([fill, client]).then(() => undefined),
  };
}

type Result =
  | { readonly kind: 'stored' | 'passed'; readonly size: number }
  | { readonly kind: 'broken'; readonly error: unknown };

/** Reads the body to its end, one chunk ahead of what is let through. */
async function pump(options: RelayOptions, ring: Ring): Promise<Result> {
  const { body, first, checkEnd, onProgress } = options;
  let upload = options.upload;
  let size = 0;
  let held = first;

  async function forward(chunk: Uint8Array<ArrayBuffer>): Promise<void> {
    try {
      ring.release();
      await upload?.write(chunk);
    } catch (error) {
      await upload?.abort(error);
      upload = undefined;
      options.onUploadError(error);
    }
  }

  ring.push(held);
  for (;;) {
    size += held.length;
    const memory = await ring.reserve({ mayDrop: upload !== undefined });
    if (!upload && ring.deserted) throw new Error('Neither the store nor the client takes the rest');
    const next = await body.fill(memory);
    onProgress();
    if (next.length === 0) break;
    ring.push(next);
    await forward(held);
    held = next;
  }
  body.checkLength(size);
  checkEnd(ring.tail(), size);
  await forward(held);
  ring.end();
  if (!upload) return { kind: 'passed', size };
  try {
    await upload.commit();
    return { kind: 'stored', size };
  } catch (error) {
    await upload.abort(error);
    options.onUploadError(error);
    return { kind: 'passed', size };
  }
}

/** Writes what the ring lets through; a client that was too slow waits for the stored copy and reads the rest of it. */
async function serveClient(options: RelayOptions, ring: Ring, outcome: Promise<Result>): Promise<void> {
  const writer = options.client.getWriter();
  let offset = 0;
  try {
    for (;;) {
      const chunk = await Promise.race([ring.next(), broken(outcome)]);
      if (chunk === 'end') return await writer.close();
      if (chunk === 'lost') break;
      await writer.write(chunk);
      offset += chunk.length;
      ring.consumed();
    }
    const result = await outcome;
    if (result.kind !== 'stored')
      throw new Error('The file could not be stored, and the client was too slow to follow');
    const rest = await options.resume(offset, result.size);
    if (!rest) throw new Error('The stored file could not be read');
    writer.releaseLock();
    await rest.pipeTo(options.client);
  } catch (error) {
    ring.leave();
    await writer.abort(error).catch(() => undefined);
  }
}

/** Rejects when the body broke; otherwise never settles. */
async function broken(outcome: Promise<Result>): Promise<never> {
  const result = await outcome;
  if (result.kind === 'broken') throw result.error;
  return new Promise(() => undefined);
}

/**
 * The last chunks of the body, in memory that is used over and over. The reader of the body pushes, the client consumes
 * what was released. A chunk that the client is just writing is never overwritten.
 */
class Ring {
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  /** Sequence number of the first chunk in `#chunks`. */
  #start = 0;
  /** How many chunks were let through. */
  #released = 0;
  /** Sequence number of the chunk that the client wants or is writing. */
  #wanted = 0;
  #writing = false;
  #clientLeft = false;
  #ended = false;
  #changed = Promise.withResolvers<void>();
  readonly #clock: Clock;
  readonly #capacity: number;

  constructor({ clock, chunks }: Pick<RelayOptions, 'clock' | 'chunks'>) {
    this.#clock = clock;
    this.#capacity = chunks;
  }

  push(chunk: Uint8Array<ArrayBuffer>): void {
    this.#chunks.push(chunk);
  }

  /** Lets the next chunk through to the client. */
  release(): void {
    this.#released += 1;
    this.#change();
  }

  end(): void {
    this.#ended = true;
    this.#change();
  }

  /** Whether nobody will take another chunk: the client is gone, or the one that it wants next is. */
  get deserted(): boolean {
    const next = this.#wanted + (this.#writing ? 1 : 0);
    return this.#clientLeft || next < this.#start;
  }

  /**
   * Memory for a chunk. Once the ring is full that is the memory of the oldest one: a client that has not had it yet is
   * waited for, where `mayDrop` says so only for a moment, and then dropped.
   */
  async reserve({ mayDrop }: { readonly mayDrop: boolean }): Promise<ArrayBuffer> {
    if (this.#chunks.length < this.#capacity) return new ArrayBuffer(CHUNK_BYTES);
    if (this.#lags) {
      const caughtUp = this.#clientCaughtUp();
      await (mayDrop ? within(this.#clock, PATIENCE, caughtUp).catch(() => undefined) : caughtUp);
    }
    const beingWritten = this.#writing && this.#wanted === this.#start && !this.#clientLeft;
    const oldest = this.#chunks.shift();
    this.#start += 1;
    this.#change();
    const reusable = oldest && !beingWritten && oldest.buffer.byteLength === CHUNK_BYTES;
    return reusable ? oldest.buffer : new ArrayBuffer(CHUNK_BYTES);
  }

  /** Whether the client has not had the oldest chunk yet, and will. */
  get #lags(): boolean {
    return !this.deserted && this.#wanted <= this.#start;
  }

  async #clientCaughtUp(): Promise<void> {
    while (this.#lags) await this.#changed.promise;
  }

  /** The chunk that the client wants next, when it is let through; `lost` if it is gone by then. */
  async next(): Promise<Uint8Array | 'end' | 'lost'> {
    for (;;) {
      if (this.#wanted < this.#start) return 'lost';
      const chunk = this.#wanted < this.#released ? this.#chunks[this.#wanted - this.#start] : undefined;
      if (chunk) {
        this.#writing = true;
        return chunk;
      }
      if (this.#ended) return 'end';
      await this.#changed.promise;
    }
  }

  /** The client has the chunk that `next` gave. */
  consumed(): void {
    this.#writing = false;
    this.#wanted += 1;
    this.#change();
  }

  /** The client is gone: nothing waits for it any more. */
  leave(): void {
    this.#clientLeft = true;
    this.#change();
  }

  /** All bytes in the ring, as one piece. */
  tail(): Uint8Array {
    const tail = new Uint8Array(this.#chunks.reduce((size, chunk) => size + chunk.length, 0));
    let at = 0;
    for (const chunk of this.#chunks) {
      tail.set(chunk, at);
      at += chunk.length;
    }
    return tail;
  }

  #change(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }
}
