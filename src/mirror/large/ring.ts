import { type Clock, within } from '../../effects/clock.ts';

/** One read: large enough that JavaScript runs seldom, small enough to keep several. */
export const CHUNK_BYTES = 256 * 1024;

/** Chunks in a ring: 4 MiB, of which the check of the end sees the last 3.5 at least. */
export const RING_CHUNKS = 16;

/** Chunks in a ring where memory is short. */
export const SMALL_RING_CHUNKS = 4;

/** Milliseconds that a chunk waits for a client that lags: a client that reads 2.5 MB/s is waited for, a slower one detached. */
const LAG_LIMIT_MS = 100;

/**
 * The last chunks of the body, in memory that is used over and over. The reader of the body pushes,
 * the client consumes what was released. A chunk that is being written to the client is never
 * overwritten.
 */
export class Ring {
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
  readonly #left = Promise.withResolvers<void>();
  readonly #clock: Clock;
  readonly #capacity: number;
  /** How many chunks the client stays behind until the end. */
  readonly #held: number;

  constructor({
    clock,
    chunks,
    held,
  }: {
    readonly clock: Clock;
    readonly chunks: number;
    readonly held: number;
  }) {
    this.#clock = clock;
    this.#capacity = chunks;
    this.#held = held;
  }

  push(chunk: Uint8Array<ArrayBuffer>): void {
    this.#chunks.push(chunk);
  }

  /** Lets another chunk through to the client, one that is `held` chunks back. */
  release(): void {
    this.#released += 1;
    this.#change();
  }

  /** Lets the rest through: there is no more. */
  end(): void {
    this.#ended = true;
    this.#change();
  }

  /** Whether no client takes another chunk: it left, or the chunk that it needs next is gone. */
  get isDeserted(): boolean {
    const next = this.#wanted + (this.#writing ? 1 : 0);
    return this.#clientLeft || next < this.#start;
  }

  /**
   * Memory for a chunk. Once the ring is full that is the memory of the oldest chunk. A client that has not
   * read that one yet is waited for: with `mayDetach` for a moment, and then it is detached.
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

  /** Whether the client still has to read the oldest chunk. */
  get #lags(): boolean {
    return !this.isDeserted && this.#wanted <= this.#start;
  }

  async #clientCaughtUp(): Promise<void> {
    while (this.#lags) await this.#changed.promise;
  }

  /** The chunk that the client wants next, when it is let through; `detached` if it is gone by then. */
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

  /** The client has the chunk that `next` gave. */
  consumed(): void {
    this.#writing = false;
    this.#wanted += 1;
    this.#change();
  }

  /** The client left: nothing waits for it any more. */
  leave(): void {
    this.#clientLeft = true;
    this.#left.resolve();
    this.#change();
  }

  /** Resolves when the client leaves; a client that is only too slow does not. */
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
