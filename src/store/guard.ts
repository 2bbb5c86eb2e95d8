import type { Background } from '../effects/background.ts';
import { type Clock, within } from '../effects/clock.ts';
import type { Trace } from '../effects/trace.ts';
import type { FileToStore, StoredFile } from './contract.ts';

export interface GuardEffects {
  readonly background: Background;
  readonly trace: Trace;
  readonly clock: Clock;
  /** Told of every tier that failed. */
  readonly report: (label: string, error: unknown) => void;
}

/** Milliseconds that a tier may take to answer: one that hangs is a tier that has nothing. */
const TIER_LIMIT = 5_000;

/**
 * A tier that fails, or hangs, is a tier that has nothing: it is reported, and the answer comes
 * from elsewhere.
 */
export class Guard {
  readonly #effects: GuardEffects;

  constructor(effects: GuardEffects) {
    this.#effects = effects;
  }

  /** What the tier had, or undefined. */
  async read<T>(tier: string, work: Promise<T> | undefined): Promise<T | undefined> {
    if (!work) return undefined;
    const { clock, trace } = this.#effects;
    const limited = within(clock, TIER_LIMIT, work).catch((error: unknown) => {
      work.then(dropLate, () => undefined); // it may come yet, and nobody waits for it any more
      throw error;
    });
    return this.attempt(tier, trace.measure(tier, limited));
  }

  /** As `read`, with the bytes. */
  async readWhole(
    tier: string,
    work: Promise<StoredFile | undefined> | undefined,
  ): Promise<FileToStore | undefined> {
    return this.read(
      tier,
      work?.then(async (file) => {
        if (!file) return undefined;
        const { body, etag, checked } = file;
        return { bytes: await bytesOf(body), etag, ...(checked ? { checked } : {}) };
      }),
    );
  }

  /** Writes beside the answer. */
  write(tier: string, work: Promise<void> | undefined): void {
    if (work) this.#effects.background(`write ${tier}`, work);
  }

  /** The result, or undefined when it failed; without a limit of time. */
  async attempt<T>(tier: string, work: Promise<T> | undefined): Promise<T | undefined> {
    try {
      return await work;
    } catch (error) {
      this.#effects.report(tier, error);
      return undefined;
    }
  }
}

/** Cancels the stream of a stored file that came too late, and an upload that did. */
function dropLate(late: unknown): void {
  if (typeof late !== 'object' || late === null) return;
  const body: unknown = Reflect.get(late, 'body');
  if (body instanceof ReadableStream) body.cancel().catch(() => undefined);
  const abort: unknown = Reflect.get(late, 'abort');
  if (typeof abort === 'function') void abort.call(late, new Error('The upload began too late'));
}

/** A body as bytes. */
export async function bytesOf(body: StoredFile['body']): Promise<Uint8Array> {
  return body instanceof Uint8Array ? body : new Uint8Array(await new Response(body).arrayBuffer());
}

/**
 * At most `length` bytes of a body, put into `memory`, which is transferred: go on with `.buffer`
 * of the result.
 */
export async function fill(
  memory: ArrayBuffer,
  length: number,
  body: StoredFile['body'],
): Promise<Uint8Array<ArrayBuffer>> {
  let view = new Uint8Array(memory, 0, length);
  if (body instanceof Uint8Array) {
    view.set(body.subarray(0, length));
    return view.subarray(0, body.length);
  }
  const reader = body.getReader({ mode: 'byob' });
  for (let filled = 0; ;) {
    if (filled === length) return view;
    const { done, value } = await reader.read(view.subarray(filled), { min: length - filled });
    if (!value) throw new Error('The body was cancelled');
    view = new Uint8Array(value.buffer, 0, length);
    filled += value.length;
    if (done) return view.subarray(0, filled);
  }
}

/** Gives a body up that nobody reads. */
export function discard(body: StoredFile['body']): void {
  if (!(body instanceof Uint8Array)) body.cancel().catch(() => undefined);
}
