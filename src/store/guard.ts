import { bytesOf, discard } from '../bytes/streams.ts';
import type { Background } from '../effects/background.ts';
import { type Clock, within } from '../effects/clock.ts';
import type { Emit, TroubleEvent } from '../effects/emit.ts';
import type { Trace } from '../effects/trace.ts';
import type { FileToStore, StoredFile } from './contract.ts';

export interface GuardEffects {
  readonly background: Background;
  readonly trace: Trace;
  readonly clock: Clock;
  readonly emit: Emit<TroubleEvent>;
}

/** A tier that needs longer for an answer counts as one that has nothing. */
const TIER_LIMIT_MS = 5_000;

/** A store of any tier, as far as the guard needs to know it. */
interface Tier {
  readonly label: string;
}

/**
 * Keeps the failures of a tier away from the answer: a tier that fails or hangs counts as one that
 * has nothing, and an event says so. An absent tier has nothing either.
 */
export class Guard {
  readonly #effects: GuardEffects;

  constructor(effects: GuardEffects) {
    this.#effects = effects;
  }

  /** What the tier had, or undefined. */
  async read<S extends Tier, T>(
    tier: S | undefined,
    ask: (tier: S) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    if (!tier) return undefined;
    const { clock, trace } = this.#effects;
    return this.attempt(tier, () => {
      const work = ask(tier);
      const limited = within(clock, TIER_LIMIT_MS, work).catch((error: unknown) => {
        work.then(dropLate, () => undefined); // it may still come, and nothing waits for it any more
        throw error;
      });
      return trace.measure(tier.label, limited);
    });
  }

  /** As `read`, with all the bytes in memory. */
  async readWhole<S extends Tier>(
    tier: S | undefined,
    ask: (tier: S) => Promise<StoredFile | undefined>,
  ): Promise<FileToStore | undefined> {
    return this.read(tier, async (store) => {
      const file = await ask(store);
      return file && { bytes: await bytesOf(file.body), etag: file.etag, checked: file.checked };
    });
  }

  /** Writes in the background. */
  write<S extends Tier>(tier: S | undefined, work: (tier: S) => Promise<unknown>): void {
    if (tier) this.#effects.background(`write ${tier.label}`, work(tier));
  }

  /** The result, or undefined when the tier is absent or fails; without a limit of time. */
  async attempt<S extends Tier, T>(
    tier: S | undefined,
    work: (tier: S) => Promise<T>,
  ): Promise<T | undefined> {
    if (!tier) return undefined;
    try {
      return await work(tier);
    } catch (error) {
      this.#effects.emit({ event: 'trouble', label: tier.label, error });
      return undefined;
    }
  }
}

/** Cancels the stream of a stored file that came too late, and an upload that did. */
function dropLate(late: unknown): void {
  if (typeof late !== 'object' || late === null) return;
  const body: unknown = Reflect.get(late, 'body');
  if (body instanceof ReadableStream) discard(body);
  const abort: unknown = Reflect.get(late, 'abort');
  if (typeof abort === 'function') {
    void Reflect.apply(abort, late, [new Error('The upload began too late')]);
  }
}
