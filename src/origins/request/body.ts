import type { Clock } from '../../effects/clock.ts';
import { type RunningSha256, startSha256 } from '../../bytes/sha256.ts';
import { BodyReader, declaredLength } from './body-reader.ts';
import { BadAnswer } from '../origin.ts';
import type { Resume } from './resume.ts';
import type { Vitals } from './attempt-progress.ts';

/**
 * Bytes that `start` reads at once of a body that may be continued: what a broken read had so far
 * is lost.
 */
const PIECE_BYTES = 256 * 1024;

/**
 * The body of an origin's answer, read under a stall limit, and where that was arranged continued
 * when it breaks off.
 */
export class OriginBody {
  /** Length in bytes that the origin declared, where it did. */
  readonly declared: number | undefined;
  #reader: BodyReader;
  #resume: Resume | undefined;
  /** Names of the origins whose file it is, once another one than the first had to be asked. */
  #givers: readonly string[] | undefined;
  /** Bytes that were returned. */
  #delivered = 0;
  /** Of the delivered bytes, less those in `#unhashed`. */
  #digest: RunningSha256 | undefined;
  /**
   * What `start` returned: it is hashed when something comes after it, as most bodies end there.
   */
  #unhashed: Uint8Array = new Uint8Array(0);
  readonly #end = new AbortController();

  constructor(
    response: Response,
    options: { readonly clock: Clock; readonly stall: number; readonly vitals?: Vitals },
  ) {
    this.#reader = new BodyReader(response, options);
    this.declared = declaredLength(response.headers);
  }

  /** Names of the origins whose file it is, where that is not only the first one that was asked. */
  get givers(): readonly string[] | undefined {
    return this.#givers;
  }

  /**
   * From now on `resume` is asked for the rest when the body breaks off, stalls, or ends too early.
   * With `keepsDigest` the delivered bytes are hashed, which is possible until something was read
   * by other means than `start`.
   */
  resumeWith(resume: Resume, { keepsDigest }: { readonly keepsDigest: boolean }): void {
    if (this.#end.signal.aborted || this.declared === undefined) return;
    this.#resume = resume;
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
        // Of a stream that was cancelled between two reads the next one says that it has ended.
        if (this.#end.signal.aborted) throw new Error('The body was cancelled');
        const delivered = this.#delivered + bytes.length;
        if (this.#resume && bytes.length < size && delivered < (this.declared ?? 0))
          this.checkLength(delivered);
        this.#delivered = delivered;
        return bytes;
      } catch (error) {
        // All of it is here (RFC 9112 6.3), and what the connection came to afterwards concerns
        // nobody.
        if (this.#resume && this.#delivered === this.declared) return new Uint8Array(0);
        await this.#goOn(error);
      }
    }
  }

  /** Finds another source of the rest, or throws what the last one broke with. */
  async #goOn(error: unknown): Promise<void> {
    const { signal } = this.#end;
    const offset = this.#delivered;
    if (!this.#resume || signal.aborted || offset >= (this.declared ?? 0)) throw error;
    const { bytes } = this.#reader;
    void this.#reader.cancel(error); // a connection that hangs may take its time
    const found = await this.#resume({ offset, error, bytes, digest: this.#digestSoFar(), signal });
    if (!found) throw error;
    if (signal.aborted) {
      await found.reader.cancel(signal.reason);
      throw error;
    }
    this.#reader = found.reader;
    this.#givers = found.givers;
  }

  /**
   * The whole body. Throws `BadAnswer` when it is longer than `limit` bytes or not as long as
   * declared.
   */
  async all(limit: number): Promise<Uint8Array> {
    if (this.declared !== undefined && this.declared > limit) throw this.#tooLong(limit);
    const bytes = await this.start(limit + 1);
    if (bytes.length > limit) throw this.#tooLong(limit);
    this.checkLength(bytes.length);
    await this.cancel('all of it was read');
    return bytes;
  }

  /**
   * The first `limit` bytes of the body, or all of it if it is shorter. They are not to be changed
   * before more is read.
   */
  async start(limit: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.declared !== undefined) return this.#startOf(Math.min(this.declared, limit));
    let bytes = new Uint8Array(0);
    for (let room = 64 * 1024; ; room *= 2) {
      const more = await this.fill(new ArrayBuffer(Math.min(room, limit - bytes.length)));
      bytes = concat(bytes, more);
      if (more.length < room || bytes.length === limit) return bytes;
    }
  }

  async #startOf(length: number): Promise<Uint8Array<ArrayBuffer>> {
    if (!this.#resume || length <= PIECE_BYTES) {
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

  /** Whether `digest` will know. */
  get keepsDigest(): boolean {
    return this.#digest !== undefined;
  }

  /** SHA-256 of the body, once it was read to its end. Undefined where it was not kept. */
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

  /** Throws `BadAnswer` unless `length` bytes are what the origin declared. */
  checkLength(length: number): void {
    if (this.declared !== undefined && this.declared !== length) {
      throw new BadAnswer(`body of ${length} bytes where ${this.declared} were declared`);
    }
  }

  /** Gives the rest of the body up. */
  async cancel(reason: unknown): Promise<void> {
    this.#end.abort(reason);
    await this.#reader.cancel(reason);
  }

  #tooLong(limit: number): BadAnswer {
    return new BadAnswer(`body of more than ${limit} bytes`);
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
