import { readInto } from '../bytes/streams.ts';
import type { Background } from '../effects/background.ts';
import { type Clock, within } from '../effects/clock.ts';
import type { Emit, TroubleEvent } from '../effects/emit.ts';
import type { Trace } from '../effects/trace.ts';
import type { DurableStore, StoredFile } from './contract.ts';
import type { StoreKey } from './key.ts';

export interface GuardEffects {
  readonly background: Background;
  readonly trace: Trace;
  readonly clock: Clock;
  readonly emit: Emit<TroubleEvent>;
}

/** A body that takes longer counts as a miss. The calls have limits of their own, of the tiers. */
const BODY_LIMIT_MS = 5_000;

/** As above, of a part of up to 8 MiB of a large file, which no client waits for. */
const PART_LIMIT_MS = 15_000;

/** The store of any tier. */
interface Tier {
  readonly label: string;
}

/**
 * Isolates the answer from failures of a tier. A tier that is absent or fails counts as empty. A
 * failure emits a trouble event.
 */
export class Guard {
  readonly #effects: GuardEffects;

  constructor(effects: GuardEffects) {
    this.#effects = effects;
  }

  /** The result of `ask`, or undefined when the tier is absent or fails. */
  async read<S extends Tier, T>(
    tier: S | undefined,
    ask: (tier: S) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    if (!tier) return undefined;
    return this.attempt(tier, () => this.#effects.trace.measure(tier.label, ask(tier)));
  }

  /**
   * The bytes of a file. Rejects when its body breaks off, and with `TimeoutError` when it is slow.
   * The body is cancelled then.
   */
  async bytes({ body, size }: Pick<StoredFile, 'body' | 'size'>): Promise<Uint8Array> {
    if (body instanceof Uint8Array) return body;
    const { clock } = this.#effects;
    const limited = <T>(read: Promise<T>) => within(clock, BODY_LIMIT_MS, read);
    const bytes = await readInto(new ArrayBuffer(size), body, { length: size, limited });
    if (bytes.length !== size) throw new Error(`The store sent ${bytes.length} bytes of ${size}`);
    return bytes;
  }

  /** Settles as the read of a part does, and rejects with `TimeoutError` when it is slow. */
  readonly limitedPart = <T>(read: Promise<T>): Promise<T> =>
    within(this.#effects.clock, PART_LIMIT_MS, read);

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

  /** The result of `work`, or undefined when the tier is absent or fails. Its time is not measured. */
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

/** Removes files from the durable tier, in two tries. False when both fail. */
export async function removeFrom(
  durable: Pick<DurableStore, 'label' | 'remove'>,
  keys: readonly StoreKey[],
  guard: Guard,
): Promise<boolean> {
  const remove = () => guard.attempt(durable, async (store) => (await store.remove(keys), true));
  return ((await remove()) ?? (await remove())) === true;
}
