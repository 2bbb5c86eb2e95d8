import type { Clock } from '../effects/clock.ts';

/** Milliseconds between two checks for free memory. */
const RETRY_MS = 50;

/**
 * Milliseconds after which reserved memory counts as free. The platform may end a request at any
 * point; its code then never releases the memory.
 */
const LEASE_MS = 5 * 60_000;

/** How often a long holder of memory renews it, in milliseconds. */
export const RENEW_MS = 60_000;

/** Releases reserved memory. A second call does nothing. */
export type Release = () => void;

/** Memory that a request could use. */
export interface Wanted {
  readonly bytes: number;
  /** How many bytes have to be left for others. Default 0. */
  readonly leaving?: number | undefined;
}

/** Reserved memory of `bytes`. */
export interface Reserved {
  readonly bytes: number;
  readonly release: Release;
}

/**
 * Limits the bytes that the requests of an isolate hold in memory together. An isolate has 128 MB
 * for all of them, and a go command fetches many zips at once. A request without a reservation
 * makes do with less memory, waits, or is refused.
 */
export class Budget {
  readonly #capacity: number;
  #left: number;
  readonly #clock: Clock;
  /** When each reservation was made, in milliseconds since the epoch. */
  readonly #leases = new Map<Release, number>();

  constructor(bytes: number, clock: Clock) {
    this.#capacity = bytes;
    this.#left = bytes;
    this.#clock = clock;
  }

  /** Reserves `bytes`; undefined when fewer are left, or less than `leaving` would be. */
  take(bytes: number, leaving = 0): Release | undefined {
    if (bytes + leaving > this.#left) this.#endOldLeases();
    if (bytes + leaving > this.#left) return undefined;
    this.#left -= bytes;
    const release = () => {
      if (this.#leases.delete(release)) this.#left += bytes;
    };
    this.#leases.set(release, this.#clock.steady());
    return release;
  }

  /** Keeps reserved memory for another lease: whoever holds it for minutes calls this each minute. */
  renew(release: Release): void {
    if (this.#leases.has(release)) this.#leases.set(release, this.#clock.steady());
  }

  /**
   * Reserves the first of these amounts that is free, and waits for one until `deadline`, in
   * milliseconds since the epoch. Undefined when none is free by then.
   */
  async takeFirst(amounts: readonly Wanted[], deadline: number): Promise<Reserved | undefined> {
    for (;;) {
      for (const { bytes, leaving } of amounts) {
        const release = this.take(bytes, leaving);
        if (release) return { bytes, release };
      }
      if (this.#clock.steady() >= deadline) return undefined;
      // Polling, not a queue: in workerd a request cannot rely on a promise that another request
      // resolves.
      await this.#clock.sleep(RETRY_MS);
    }
  }

  /**
   * Waits until `bytes` are free, and holds them while `work` runs. Settles as `work` does. Rejects
   * with `RangeError` when `bytes` exceeds the whole budget.
   */
  async holding<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (bytes > this.#capacity) {
      throw new RangeError(`Cannot hold ${bytes} bytes in a budget of ${this.#capacity}`);
    }
    const reserved = await this.takeFirst([{ bytes }], Infinity);
    try {
      return await work();
    } finally {
      reserved?.release();
    }
  }

  #endOldLeases(): void {
    const now = this.#clock.steady();
    for (const [release, takenAt] of this.#leases) if (now - takenAt > LEASE_MS) release();
  }
}

/** How long a file waits for memory at most. */
const LONGEST_WAIT_MS = 10_000;

/**
 * Until when a request waits for memory, in milliseconds since the epoch: half of the time that it
 * has left at most.
 */
export function memoryDeadline({ clock, timeLeftMs }: MemoryEffects): number {
  return clock.steady() + Math.min(timeLeftMs() / 2, LONGEST_WAIT_MS);
}

export interface MemoryEffects {
  readonly clock: Pick<Clock, 'steady'>;
  /** Milliseconds left until the deadline of the answer. */
  readonly timeLeftMs: () => number;
}

const MIB = 1024 * 1024;

/** The budgets of an isolate, within its 128 MB. */
export interface Budgets {
  /** Whole files, and the rings of streams with the parts of their uploads. */
  readonly held: Budget;
  /**
   * Comparisons of stored files. A stream keeps its ring until its comparison has ended: from one
   * common budget, the comparisons of several streams could wait for the memory of those streams
   * for ever.
   */
  readonly verifications: Budget;
}

/** The budgets of a new isolate. */
export function openBudgets(clock: Clock): Budgets {
  return { held: new Budget(40 * MIB, clock), verifications: new Budget(32 * MIB, clock) };
}
