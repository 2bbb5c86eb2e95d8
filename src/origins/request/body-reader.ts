import { type Clock, within } from '../../effects/clock.ts';
import { AttemptProgress } from './attempt-progress.ts';

/**
 * Progress is at least this many bytes within the stall limit. Fewer in 20 s are of no use, and one
 * read of a full chunk costs a twentieth of the CPU that many small ones do.
 */
const PROGRESS_BYTES = 16 * 1024;

export interface ReaderOptions {
  readonly clock: Clock;
  /** How long the body may go without progress. */
  readonly stallMs: number;
  /** Updated with each read. Default: a new one. */
  readonly progress?: AttemptProgress | undefined;
}

/** A body, such as that of an answer, read under a stall limit. */
export class BodyReader {
  /** Bytes that arrived so far, counted by completed reads. */
  bytes = 0;
  readonly #reader: ReadableStreamBYOBReader | undefined;
  readonly #clock: Clock;
  readonly #stallMs: number;
  readonly #progress: AttemptProgress;

  constructor(
    response: Pick<Response, 'body'>,
    { clock, stallMs, progress = new AttemptProgress(clock) }: ReaderOptions,
  ) {
    this.#reader = response.body?.getReader({ mode: 'byob' });
    this.#clock = clock;
    this.#stallMs = stallMs;
    this.#progress = progress;
  }

  /**
   * Fills `buffer` from the start and returns the bytes read: fewer than the buffer holds only at
   * the end of the body. The buffer's memory is transferred: go on with `.buffer` of the result.
   * Throws `TimeoutError` when the body stalls and whatever the connection throws when it breaks;
   * the memory cannot be used again then.
   */
  async fill(buffer: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
    let view = new Uint8Array(buffer);
    let filled = 0;
    while (this.#reader && filled < view.length) {
      const size = view.length;
      const rest = view.subarray(filled);
      this.#progress.readStarted();
      const read = this.#reader.read(rest, { min: Math.min(PROGRESS_BYTES, rest.length) });
      const { done, value } = await within(this.#clock, this.#stallMs, read);
      this.#progress.readEnded(value?.length ?? 0);
      if (!value) throw new Error('The body was cancelled');
      view = new Uint8Array(value.buffer, 0, size);
      filled += value.length;
      this.bytes += value.length;
      if (done) break;
    }
    return view.subarray(0, filled);
  }

  /** Cancels the rest of the body. */
  async cancel(reason: unknown): Promise<void> {
    await this.#reader?.cancel(reason).catch(() => undefined);
  }
}

/** The length of the body in bytes, where the headers declare it. */
export function declaredLength(headers: Headers): number | undefined {
  // The length of an encoded body is not that of the decoded bytes that are read here.
  const isEncoded = headers.get('Content-Encoding') !== null;
  const length = isEncoded ? null : headers.get('Content-Length');
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}
