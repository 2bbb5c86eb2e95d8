import { type Clock, within } from '../../effects/clock.ts';
import { Vitals } from './attempt-progress.ts';

/**
 * Progress is at least this many bytes within the stall limit. Less than that in 20 s is as good as
 * nothing, and one read of a full chunk costs a twentieth of the CPU that many small ones do.
 */
const PROGRESS_BYTES = 16 * 1024;

export interface ReaderOptions {
  readonly clock: Clock;
  /** Milliseconds in which it may go without progress. */
  readonly stall: number;
  readonly vitals?: Vitals;
}

/** The body of one answer, read under a stall limit. */
export class BodyReader {
  /** Bytes that came so far, counted by completed reads. */
  bytes = 0;
  readonly #reader: ReadableStreamBYOBReader | undefined;
  readonly #clock: Clock;
  readonly #stall: number;
  readonly #vitals: Vitals;

  constructor(response: Response, { clock, stall, vitals = new Vitals(clock) }: ReaderOptions) {
    this.#reader = response.body?.getReader({ mode: 'byob' });
    this.#clock = clock;
    this.#stall = stall;
    this.#vitals = vitals;
  }

  /**
   * Fills `buffer` from the start and returns the bytes read: fewer than the buffer holds only at
   * the end of the body. The buffer's memory is transferred: go on with `.buffer` of the result.
   * Throws `TimeoutError` when the body stalls and whatever the connection throws when it breaks;
   * the memory is lost then.
   */
  async fill(buffer: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
    let view = new Uint8Array(buffer);
    let filled = 0;
    while (this.#reader && filled < view.length) {
      const size = view.length;
      const rest = view.subarray(filled);
      this.#vitals.readBegins();
      const read = this.#reader.read(rest, { min: Math.min(PROGRESS_BYTES, rest.length) });
      const { done, value } = await within(this.#clock, this.#stall, read);
      this.#vitals.readEnds(value?.length ?? 0);
      if (!value) throw new Error('The body was cancelled');
      view = new Uint8Array(value.buffer, 0, size);
      filled += value.length;
      this.bytes += value.length;
      if (done) break;
    }
    return view.subarray(0, filled);
  }

  /** Gives the rest of the body up. */
  async cancel(reason: unknown): Promise<void> {
    await this.#reader?.cancel(reason).catch(() => undefined);
  }
}

/** The length of the body in bytes, where the headers tell it. */
export function declaredLength(headers: Headers): number | undefined {
  // The length of an encoded body says nothing of the decoded bytes that are read here.
  const length = isEncoded(headers) ? null : headers.get('Content-Length');
  return length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
}

/** Whether the bytes that are read are not those that were sent. */
export function isEncoded(headers: Headers): boolean {
  return headers.get('Content-Encoding') !== null;
}
