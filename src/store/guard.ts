import { discard } from '../bytes/streams.ts';
import type { Background } from '../effects/background.ts';
import { type Clock, within } from '../effects/clock.ts';
import type { Emit, TroubleEvent } from '../effects/emit.ts';
import type { Trace } from '../effects/trace.ts';

export interface GuardEffects {
  readonly background: Background;
  readonly trace: Trace;
  readonly clock: Clock;
  readonly emit: Emit<TroubleEvent>;
}

/** A read that takes longer counts as a miss. */
const TIER_LIMIT_MS = 5_000;

/** The store of any tier. */
interface Tier {
  readonly label: string;
}

/**
 * Isolates the answer from failures of a tier. A tier that is absent, fails or does not respond
 * counts as empty. A failure emits a trouble event.
 */
export class Guard {
  readonly #effects: GuardEffects;

  constructor(effects: GuardEffects) {
    this.#effects = effects;
  }

  /** The result of `ask`, or undefined when the tier is absent, fails or exceeds the time limit. */
  async read<S extends Tier, T>(
    tier: S | undefined,
    ask: (tier: S) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    if (!tier) return undefined;
    const { clock, trace } = this.#effects;
    return this.attempt(tier, () => {
      const work = ask(tier);
      const limited = within(clock, TIER_LIMIT_MS, work).catch((error: unknown) => {
        work.then(dropLate, () => undefined); // a late result has no other reader
        throw error;
      });
      return trace.measure(tier.label, limited);
    });
  }

  /**
   * Runs a write in the background; does nothing when the tier is absent. Resolves when the write
   * has ended.
   */
  async write<S extends Tier>(
    tier: S | undefined,
    work: (tier: S) => Promise<unknown>,
  ): Promise<void> {
    if (!tier) return;
    const writing = work(tier);
    this.#effects.background(`write ${tier.label}`, writing);
    await writing.catch(() => undefined);
  }

  /** The result of `work`, or undefined when the tier is absent or fails. Has no time limit. */
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

/** Cancels the body of a late file, and aborts a late upload. */
function dropLate(late: unknown): void {
  if (typeof late !== 'object' || late === null) return;
  const body: unknown = Reflect.get(late, 'body');
  if (body instanceof ReadableStream) discard(body);
  const abort: unknown = Reflect.get(late, 'abort');
  if (typeof abort === 'function') {
    void Reflect.apply(abort, late, [new Error('The upload started after its time limit')]);
  }
}
