import type { Clock } from '../effects/clock.ts';

/** Milliseconds between two checks for free memory. */
const RETRY_MS = 50;

/**
 * Milliseconds after which reserved memory counts as free. The platform may end a request at any
 * point; its code then never releases the memory.
 */
const LEASE_MS = 5 * 60_000;

/** Releases reserved memory. A second call does nothing. */
export type Release = () => void;

/**
 * Limits the bytes that the requests of an isolate hold in memory together. An isolate has 128 MB
 * for all of them, and a go command fetches many zips at once. A request without a reservation
 * streams in small pieces, or waits.
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

  /** Reserves `bytes`; undefined when fewer are left. */
  take(bytes: number): Release | undefined {
    if (bytes > this.#left) this.#endOldLeases();
    if (bytes > this.#left) return undefined;
    this.#left -= bytes;
    const release = () => {
      if (this.#leases.delete(release)) this.#left += bytes;
    };
    this.#leases.set(release, this.#clock.steady());
    return release;
  }

  /**
   * Waits until `bytes` are free, and holds them while `work` runs. Settles as `work` does. Rejects
   * with `RangeError` when `bytes` exceeds the whole budget.
   */
  async holding<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (bytes > this.#capacity) {
      throw new RangeError(`Cannot hold ${bytes} bytes in a budget of ${this.#capacity}`);
    }
    // Polling, not a queue: in workerd a request cannot rely on a promise that another request
    // resolves.
    let release = this.take(bytes);
    while (!release) {
      await this.#clock.sleep(RETRY_MS);
      release = this.take(bytes);
    }
    try {
      return await work();
    } finally {
      release();
    }
  }

  #endOldLeases(): void {
    const now = this.#clock.steady();
    for (const [release, takenAt] of this.#leases) if (now - takenAt > LEASE_MS) release();
  }
}

const MIB = 1024 * 1024;

/** The budgets of an isolate, within its 128 MB. */
export interface Budgets {
  /**
   * Whole files, and the rings of streams. A whole file is in memory twice while it is copied to
   * the client.
   */
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
