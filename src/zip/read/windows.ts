import { concatBytes } from '../../bytes/concat.ts';
import { readExactly, type ZipSource } from './source.ts';

/**
 * One read of the source; and what a window costs in memory. 500 MiB are 125 of them, and R2 counts
 * reads.
 */
export const WINDOW_BYTES = 4 * 1024 * 1024;

export interface WindowsOptions {
  /** Nothing is read ahead from here on: the central directory, which was read before. */
  readonly end: number;
  /** Told of every read that was used: the bytes of all of them so far. */
  readonly onProgress?: ((bytesRead: number) => void) | undefined;
}

/**
 * A zip read from its start to its end in large windows, the next one on its way while the present
 * one is worked on. Any place can be asked for, but whoever goes back past what `moveTo` let go of
 * pays with another read.
 *
 * What was read is good until `moveTo` has gone past it: the memory is then used again.
 *
 * Windows lie on a grid, so that a zip whose entries overlap finds them again instead of reading
 * each entry anew.
 */
export class Windows {
  readonly #source: ZipSource;
  readonly #options: WindowsOptions;
  readonly #held = new Map<number, Promise<Uint8Array>>();
  /** Memory of windows that were let go of, to read the next ones into. */
  readonly #free: ArrayBuffer[] = [];
  #bytesRead = 0;

  constructor(source: ZipSource, options: WindowsOptions) {
    this.#source = source;
    this.#options = options;
  }

  /**
   * Returns `length` bytes from `offset` on, or as many as there are before the end of the file.
   */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const index = Math.floor(offset / WINDOW_BYTES);
    const start = offset - index * WINDOW_BYTES;
    if (offset < this.#source.size && start + length <= WINDOW_BYTES) {
      return (await this.#window(index)).subarray(start, start + length);
    }
    const parts: Uint8Array[] = [];
    for await (const part of this.#parts(offset, length)) parts.push(part);
    const [only = new Uint8Array()] = parts;
    return parts.length > 1 ? concatBytes(parts) : only;
  }

  /** As `read`, but in pieces, each of which is let go of when the next one is asked for. */
  async *pieces(offset: number, length: number): AsyncGenerator<Uint8Array> {
    for await (const part of this.#parts(offset, length)) {
      yield part;
      offset += part.length;
      this.moveTo(offset);
    }
  }

  /** Lets go of everything but the window that `offset` is in and the two after it. */
  moveTo(offset: number): void {
    const first = Math.floor(offset / WINDOW_BYTES);
    for (const [index, window] of this.#held) {
      if (index >= first && index <= first + 2) continue;
      this.#held.delete(index);
      window.then(this.#recycle, () => undefined);
    }
  }

  readonly #recycle = (window: Uint8Array): void => {
    const { buffer } = window;
    // What a source without `readInto` gave is its own.
    const isOurs =
      this.#source.readInto && buffer instanceof ArrayBuffer && buffer.byteLength === WINDOW_BYTES;
    if (isOurs) this.#free.push(buffer);
  };

  async *#parts(offset: number, length: number): AsyncGenerator<Uint8Array> {
    const end = Math.min(offset + length, this.#source.size);
    for (let at = offset; at < end;) {
      const index = Math.floor(at / WINDOW_BYTES);
      const window = await this.#window(index);
      const start = index * WINDOW_BYTES;
      const part = window.subarray(at - start, end - start);
      yield part;
      at += part.length;
    }
  }

  async #window(index: number): Promise<Uint8Array> {
    const window = this.#load(index);
    if ((index + 1) * WINDOW_BYTES < this.#options.end) void this.#load(index + 1);
    return window;
  }

  #load(index: number): Promise<Uint8Array> {
    const held = this.#held.get(index);
    if (held) return held;
    const window = this.#readWindow(index);
    // One that was read ahead may fail before anybody waits for it, or when nobody will.
    window.catch(() => undefined);
    this.#held.set(index, window);
    return window;
  }

  async #readWindow(index: number): Promise<Uint8Array> {
    const start = index * WINDOW_BYTES;
    const length = Math.min(WINDOW_BYTES, this.#source.size - start);
    const memory = this.#source.readInto && (this.#free.pop() ?? new ArrayBuffer(WINDOW_BYTES));
    const window = await readExactly(this.#source, { offset: start, length, memory });
    this.#bytesRead += length;
    this.#options.onProgress?.(this.#bytesRead);
    return window;
  }
}
