import { type Clock, within } from '../../effects/clock.ts';

/** The size of one read: large enough that JavaScript runs seldom, small enough to keep several. */
export const CHUNK_BYTES = 256 * 1024;

/** Chunks in a ring: 4 MiB. The check of the end sees at least the last 3.5 MiB. */
export const RING_CHUNKS = 16;

/** Chunks in a ring where memory is short: 1 MiB. */
export const SMALL_RING_CHUNKS = 4;

/**
 * Milliseconds to wait per chunk for a client that lags. A client that reads less than about 2.5
 * MB/s is detached.
 */
const LAG_LIMIT_MS = 100;

interface RingOptions {
  readonly clock: Clock;
  /** The capacity, in chunks. */
  readonly chunks: number;
  /** How many chunks are held back from the client until the end. */
  readonly held: number;
}

/**
 * The last chunks of a body, in memory that is reused. The reader of the body pushes chunks, and
 * the client consumes those that were released. A chunk is never overwritten while it is written to
 * the client.
 */
export class Ring {
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  /** Sequence number of the first chunk in `#chunks`. */
  #start = 0;
  /** How many chunks were released. */
  #released = 0;
  /** Sequence number of the chunk that the client needs next, or that is being written to it. */
  #wanted = 0;
  #writing = false;
  #clientLeft = false;
  #ended = false;
  #changed = Promise.withResolvers<void>();
  readonly #left = Promise.withResolvers<void>();
  readonly #clock: Clock;
  readonly #capacity: number;
  /** How many chunks are held back from the client until the end. */
  readonly #held: number;

  constructor({ clock, chunks, held }: RingOptions) {
    this.#clock = clock;
    this.#capacity = chunks;
    this.#held = held;
  }

  /** Adds a chunk. The client does not see it before it is released. */
  push(chunk: Uint8Array<ArrayBuffer>): void {
    this.#chunks.push(chunk);
  }

  /** Releases the next chunk. The client receives it when `held` further chunks are released. */
  release(): void {
    this.#released += 1;
    this.#change();
  }

  /** Ends the ring: the client receives all released chunks. */
  end(): void {
    this.#ended = true;
    this.#change();
  }

  /**
   * Whether the client takes no further chunk: it disconnected, or its next chunk was overwritten.
   */
  get isDeserted(): boolean {
    const next = this.#wanted + (this.#writing ? 1 : 0);
    return this.#clientLeft || next < this.#start;
  }

  /**
   * Memory for a chunk: that of the oldest chunk once the ring is full. When the client has not
   * read that chunk yet, this waits for it: with `mayDetach` for `LAG_LIMIT_MS`, after which the
   * client is detached; without it, until the client reads or disconnects.
   */
  async reserve({ mayDetach }: { readonly mayDetach: boolean }): Promise<ArrayBuffer> {
    if (this.#chunks.length < this.#capacity) return new ArrayBuffer(CHUNK_BYTES);
    if (this.#lags) {
      const caughtUp = this.#clientCaughtUp();
      await (mayDetach
        ? within(this.#clock, LAG_LIMIT_MS, caughtUp).catch(() => undefined)
        : caughtUp);
    }
    const beingWritten = this.#writing && this.#wanted === this.#start && !this.#clientLeft;
    const oldest = this.#chunks.shift();
    this.#start += 1;
    this.#change();
    const reusable = oldest && !beingWritten && oldest.buffer.byteLength === CHUNK_BYTES;
    return reusable ? oldest.buffer : new ArrayBuffer(CHUNK_BYTES);
  }

  /** Whether the client has not read the oldest chunk yet. */
  get #lags(): boolean {
    return !this.isDeserted && this.#wanted <= this.#start;
  }

  async #clientCaughtUp(): Promise<void> {
    while (this.#lags) await this.#changed.promise;
  }

  /**
   * Waits for the client's next chunk to be released. `detached` when it was overwritten before.
   */
  async next(): Promise<Uint8Array | 'end' | 'detached'> {
    for (;;) {
      if (this.#wanted < this.#start) return 'detached';
      const through = this.#ended ? this.#released : this.#released - this.#held;
      const chunk = this.#wanted < through ? this.#chunks[this.#wanted - this.#start] : undefined;
      if (chunk) {
        this.#writing = true;
        return chunk;
      }
      if (this.#ended) return 'end';
      await this.#changed.promise;
    }
  }

  /** The chunk that `next` returned was written to the client. */
  consumed(): void {
    this.#writing = false;
    this.#wanted += 1;
    this.#change();
  }

  /** Drops all chunks. A client that needs one of them is detached. */
  detach(): void {
    this.#start += this.#chunks.length;
    this.#chunks = [];
    this.#change();
  }

  /** The client disconnected: `reserve` stops waiting for it. */
  leave(): void {
    this.#clientLeft = true;
    this.#left.resolve();
    this.#change();
  }

  /** Resolves when the client disconnects; not when it is detached. */
  get left(): Promise<void> {
    return this.#left.promise;
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
