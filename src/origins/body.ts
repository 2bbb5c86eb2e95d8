import { type Clock, within } from '../clock.ts';
import { BadAnswer } from './origin.ts';

/**
 * Progress is at least this many bytes within the stall limit. Less than that in 20 s is as good as nothing, and
 * one read of a full chunk costs a twentieth of the CPU that many small ones do.
 */
const PROGRESS_BYTES = 16 * 1024;

/** The body of an origin's answer, read under a stall limit. */
export class OriginBody {
  /** Length in bytes that the origin declared, where it did. */
  readonly declared: number | undefined;
  readonly #reader: ReadableStreamBYOBReader | undefined;
  readonly #clock: Clock;
  readonly #stall: number;

  constructor(response: Response, { clock, stall }: { readonly clock: Clock; readonly stall: number }) {
    this.#reader = response.body?.getReader({ mode: 'byob' });
    this.#clock = clock;
    this.#stall = stall;
    // The length of an encoded body says nothing of the decoded bytes that are read here.
    const length = response.headers.get('Content-Encoding') ? null : response.headers.get('Content-Length');
    this.declared = length !== null && /^\d{1,15}$/.test(length) ? Number(length) : undefined;
  }

  /**
   * Fills `buffer` from the start and returns the bytes read: fewer than the buffer holds only at the end of the body.
   * The buffer's memory is transferred: go on with `.buffer` of the result. Throws `TimeoutError` when the body stalls
   * and whatever the connection throws when it breaks.
   */
  async fill(buffer: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>> {
    let view = new Uint8Array(buffer);
    let filled = 0;
    while (this.#reader && filled < view.length) {
      const size = view.length;
      const rest = view.subarray(filled);
      const read = this.#reader.read(rest, { min: Math.min(PROGRESS_BYTES, rest.length) });
      const { done, value } = await within(this.#clock, this.#stall, read);
      if (!value) throw new Error('The body was cancelled');
      view = new Uint8Array(value.buffer, 0, size);
      filled += value.length;
      if (done) break;
    }
    return view.subarray(0, filled);
  }

  /** The whole body. Throws `BadAnswer` when it is longer than `limit` bytes or not as long as declared. */
  async all(limit: number): Promise<Uint8Array> {
    if (this.declared !== undefined && this.declared > limit) throw this.#tooLong(limit);
    const bytes = await this.start(limit + 1);
    if (bytes.length > limit) throw this.#tooLong(limit);
    this.checkLength(bytes.length);
    await this.cancel('all of it was read');
    return bytes;
  }

  /** The first `limit` bytes of the body, or all of it if it is shorter. */
  async start(limit: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.declared !== undefined) return this.fill(new ArrayBuffer(Math.min(this.declared, limit)));
    let bytes = new Uint8Array(0);
    for (let room = 64 * 1024; ; room *= 2) {
      const more = await this.fill(new ArrayBuffer(Math.min(room, limit - bytes.length)));
      bytes = concat(bytes, more);
      if (more.length < room || bytes.length === limit) return bytes;
    }
  }

  /** Throws `BadAnswer` unless `length` bytes are what the origin declared. */
  checkLength(length: number): void {
    if (this.declared !== undefined && this.declared !== length) {
      throw new BadAnswer(`body of ${length} bytes where ${this.declared} were declared`);
    }
  }

  /** Gives the rest of the body up. */
  async cancel(reason: unknown): Promise<void> {
    await this.#reader?.cancel(reason).catch(() => undefined);
  }

  #tooLong(limit: number): BadAnswer {
    return new BadAnswer(`body of more than ${limit} bytes`);
  }
}

function concat(first: Uint8Array<ArrayBuffer>, second: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (first.length === 0) return second;
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
