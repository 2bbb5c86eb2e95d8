import { concatBytes } from '../../bytes/concat.ts';
import { readExactly } from './source.ts';
import { type ByteSource } from '../../bytes/byte-source.ts';

/**
 * Bytes of one read of the source, and of one window in memory. 500 MiB are 125 reads; R2 bills
 * each.
 */
export const WINDOW_BYTES = 4 * 1024 * 1024;

export interface WindowsOptions {
  /** Nothing is read ahead from here on: the central directory follows, which was read before. */
  readonly end: number;
  /** Called after every read with the bytes read so far. */
  readonly onProgress?: ((bytesRead: number) => void) | undefined;
}

/**
 * Reads a zip from its start to its end in large windows; the next window is read ahead. Any place
 * can be read, but a place that `moveTo` has released costs another read of the source.
 *
 * Bytes that were read are valid until `moveTo` has passed them: their memory is then used again.
 *
 * Windows lie on a grid, so that a zip whose entries overlap does not cause a read for each entry.
 */
export class Windows {
  readonly #source: ByteSource;
  readonly #options: WindowsOptions;
  readonly #held = new Map<number, Promise<Uint8Array>>();
  /** Memory of released windows, to read the next ones into. */
  readonly #free: ArrayBuffer[] = [];
  #bytesRead = 0;

  constructor(source: ByteSource, options: WindowsOptions) {
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

  /** As `read`, but in pieces, each of which is valid until the next one is read. */
  async *pieces(offset: number, length: number): AsyncGenerator<Uint8Array> {
    for await (const part of this.#parts(offset, length)) {
      yield part;
      offset += part.length;
      this.moveTo(offset);
    }
  }

  /** Releases every window but the one with `offset` and the two after it. */
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
    // Bytes of a source without `readInto` may belong to the source.
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
    // A window that was read ahead may fail before it is awaited, or may never be.
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
