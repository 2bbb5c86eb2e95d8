import { type Clock, within } from '../effects/clock.ts';

/** One read: large enough that JavaScript runs seldom, small enough to keep several. */
export const CHUNK_BYTES = 256 * 1024;

/** Chunks in a ring: 4 MiB, of which the check of the end gets to see the last 3.5 at least. */
export const RING_CHUNKS = 16;

/** Chunks in a ring where memory is short. */
export const SMALL_RING_CHUNKS = 4;

/**
 * Milliseconds that a chunk waits for a client that lags: 2.5 MB/s and more set the pace, less is
 * let go of.
 */
const PATIENCE = 100;

/**
 * The last chunks of the body, in memory that is used over and over. The reader of the body pushes,
 * the client consumes what was released. A chunk that the client is just writing is never
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

  /**
   * Whether nobody will take another chunk: the client is gone, or the one that it wants next is.
   */
  get deserted(): boolean {
    const next = this.#wanted + (this.#writing ? 1 : 0);
    return this.#clientLeft || next < this.#start;
  }

  /**
   * Memory for a chunk. Once the ring is full that is the memory of the oldest one: a client that
   * has not had it yet is waited for, where `mayDrop` says so only for a moment, and then dropped.
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

  /** The client is gone: nothing waits for it any more. */
  leave(): void {
    this.#clientLeft = true;
    this.#left.resolve();
    this.#change();
  }

  /** Resolves when the client is gone. One that only was too slow is not. */
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
