import { type RunningSha256, startSha256 } from '../../bytes/sha256.ts';
import { OriginError } from '../failure.ts';
import { BodyReader, declaredLength, type ReaderOptions } from './body-reader.ts';
import type { FindRest } from './resume.ts';

/**
 * How much `start` reads at once of a body that may be continued: the bytes of a read that breaks
 * cannot be used.
 */
const PIECE_BYTES = 256 * 1024;

/**
 * The body of an origin's answer, read under a stall limit. After `continueWith` it is continued
 * when it breaks off.
 */
export class OriginBody {
  /** The length that the origin declared, where it did. */
  readonly declaredBytes: number | undefined;
  #reader: BodyReader;
  #findRest: FindRest | undefined;
  #originNames: readonly string[] | undefined;
  /** Bytes that were returned. */
  #delivered = 0;
  /** Of the delivered bytes without those in `#unhashed`. */
  #digest: RunningSha256 | undefined;
  /** What `start` returned. It is hashed when more is read, as most bodies end there. */
  #unhashed: Uint8Array = new Uint8Array(0);
  readonly #end = new AbortController();

  constructor(response: Response, options: ReaderOptions) {
    this.#reader = new BodyReader(response, options);
    this.declaredBytes = declaredLength(response.headers);
  }

  /** The origins whose file it is; undefined while that is the first one that was asked. */
  get originNames(): readonly string[] | undefined {
    return this.#originNames;
  }

  /** Bytes that have arrived, also those of a read that goes on: a sign of progress, no position. */
  get receivedBytes(): number {
    return this.#delivered + this.#reader.bytes;
  }

  /**
   * From now on `findRest` is called for the rest when the body breaks off, stalls, or ends too
   * early. With `keepsDigest` the delivered bytes are hashed, which is possible until something was
   * read by other means than `start`.
   */
  continueWith(findRest: FindRest, { keepsDigest }: { readonly keepsDigest: boolean }): void {
    if (this.#end.signal.aborted || this.declaredBytes === undefined) return;
    this.#findRest = findRest;
    if (keepsDigest && this.#unhashed.length === this.#delivered) this.#digest = startSha256();
  }

  /**
   * Fills `buffer` from the start and returns the bytes read: fewer than the buffer holds only at
   * the end of the body. The buffer's memory is transferred: go on with `.buffer` of the result.
   * Throws `TimeoutError` when the body stalls and whatever the connection throws when it breaks,
   * unless it is continued.
   */
  async fill(buffer: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
    this.#hashStart();
    const bytes = await this.#fill(buffer);
    this.#digest?.update(bytes);
    return bytes;
  }

  async #fill(buffer: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
    const size = buffer.byteLength;
    for (let memory = buffer; ; memory = new ArrayBuffer(size)) {
      try {
        const bytes = await this.#reader.fill(memory);
        // A stream that was cancelled between two reads reports its end to the next one.
        if (this.#end.signal.aborted) throw new Error('The body was cancelled');
        const delivered = this.#delivered + bytes.length;
        if (this.#findRest && bytes.length < size && delivered < (this.declaredBytes ?? 0))
          this.checkLength(delivered);
        this.#delivered = delivered;
        return bytes;
      } catch (error) {
        // The body is complete (RFC 9112 6.3): a later failure of the connection does not matter.
        if (this.#findRest && this.#delivered === this.declaredBytes) return new Uint8Array(0);
        await this.#continueAfter(error);
      }
    }
  }

  /** Finds another source of the rest, or throws the error that the last one ended with. */
  async #continueAfter(error: unknown): Promise<void> {
    const { signal } = this.#end;
    const offset = this.#delivered;
    if (!this.#findRest || signal.aborted || offset >= (this.declaredBytes ?? 0)) throw error;
    const { bytes } = this.#reader;
    void this.#reader.cancel(error); // a connection that hangs may take its time
    const rest = await this.#findRest({
      offset,
      error,
      bytes,
      digest: this.#digestSoFar(),
      signal,
    });
    if (!rest) throw error;
    if (signal.aborted) {
      await rest.reader.cancel(signal.reason);
      throw error;
    }
    this.#reader = rest.reader;
    this.#originNames = rest.originNames;
  }

  /**
   * The whole body. Throws `OriginError` when it is longer than `limitBytes` or not as long as
   * declared.
   */
  async all(limitBytes: number): Promise<Uint8Array> {
    const tooLong = { kind: 'too long', limitBytes } as const;
    if ((this.declaredBytes ?? 0) > limitBytes) throw new OriginError(tooLong);
    const bytes = await this.start(limitBytes + 1);
    if (bytes.length > limitBytes) throw new OriginError(tooLong);
    this.checkLength(bytes.length);
    await this.cancel('all of it was read');
    return bytes;
  }

  /**
   * The first `limitBytes` of the body, or all of it if it is shorter. The caller must not change
   * them before more is read.
   */
  async start(limitBytes: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.declaredBytes !== undefined)
      return this.#startOf(Math.min(this.declaredBytes, limitBytes));
    let bytes = new Uint8Array(0);
    for (let room = 64 * 1024; ; room *= 2) {
      const more = await this.fill(new ArrayBuffer(Math.min(room, limitBytes - bytes.length)));
      bytes = concat(bytes, more);
      if (more.length < room || bytes.length === limitBytes) return bytes;
    }
  }

  async #startOf(length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#findRest || length <= PIECE_BYTES) {
      const bytes = await this.#fill(new ArrayBuffer(length));
      this.#unhashed = bytes;
      return bytes;
    }
    const whole = new Uint8Array(length);
    let memory = new ArrayBuffer(PIECE_BYTES);
    for (let at = 0; at < length;) {
      const piece = await this.#fill(
        length - at < PIECE_BYTES ? new ArrayBuffer(length - at) : memory,
      );
      whole.set(piece, at);
      at += piece.length;
      this.#unhashed = whole.subarray(0, at);
      memory = piece.buffer;
    }
    return whole;
  }

  /** Whether `digest` will return one. */
  get keepsDigest(): boolean {
    return this.#digest !== undefined;
  }

  /** SHA-256 of the body, after it was read to its end. Undefined where it was not computed. */
  digest(): Uint8Array | undefined {
    this.#hashStart();
    return this.#digest?.digest();
  }

  #digestSoFar(): Uint8Array | undefined {
    if (!this.#digest) return undefined;
    const digest = this.#digest.copy();
    digest.update(this.#unhashed);
    return digest.digest();
  }

  #hashStart(): void {
    this.#digest?.update(this.#unhashed);
    this.#unhashed = new Uint8Array(0);
  }

  /** Throws `OriginError` unless `length` bytes are what the origin declared. */
  checkLength(length: number): void {
    const declared = this.declaredBytes;
    if (declared !== undefined && declared !== length)
      throw new OriginError({ kind: 'wrong length', received: length, declared });
  }

  /** Cancels the rest of the body. */
  async cancel(reason: unknown): Promise<void> {
    this.#end.abort(reason);
    await this.#reader.cancel(reason);
  }
}

function concat(
  first: Uint8Array<ArrayBuffer>,
  second: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (first.length === 0) return second;
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
