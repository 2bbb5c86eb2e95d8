import type { Clock } from '../effects/clock.ts';

/** Milliseconds between two looks at whether memory came free. */
const RETRY_MS = 50;

/**
 * Milliseconds after which memory counts as free although it was not given back: the platform may end a request in
 * the middle, and then nothing of it runs any more.
 */
const LEASE_MS = 5 * 60_000;

/** Gives memory back; a second call does nothing. */
export type Release = () => void;

/**
 * The bytes that the requests of an isolate may hold in memory together. An isolate has 128 MB for
 * all of them, and a go command fetches many zips at once: a request that gets nothing here streams in
 * small pieces instead, or waits.
 */
export class Budget {
  readonly #capacity: number;
  #left: number;
  readonly #clock: Clock;
  readonly #leases = new Map<Release, number>();

  constructor(bytes: number, clock: Clock) {
    this.#capacity = bytes;
    this.#left = bytes;
    this.#clock = clock;
  }

  /** Takes `bytes` if there are that many left, and returns how to give them back. */
  take(bytes: number): Release | undefined {
    if (bytes > this.#left) this.#endOldLeases();
    if (bytes > this.#left) return undefined;
    this.#left -= bytes;
    const release = () => {
      if (this.#leases.delete(release)) this.#left += bytes;
    };
    this.#leases.set(release, this.#clock.now());
    return release;
  }

  /**
   * Does `work` while it holds `bytes`, as soon as there are that many. Rejects with `RangeError` when the whole
   * budget is less.
   */
  async holding<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    if (bytes > this.#capacity) {
      throw new RangeError(`Cannot hold ${bytes} bytes in a budget of ${this.#capacity}`);
    }
    // A second look in place of a queue: in workerd a request cannot rely on a promise that another one resolves.
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
    const now = this.#clock.now();
    for (const [release, taken] of this.#leases) if (now - taken > LEASE_MS) release();
  }
}

const MIB = 1024 * 1024;

/** What an isolate may hold, of its 128 MB. */
export interface Budgets {
  /** Files that are whole in memory, twice while they are copied out, and what streams are ahead of their clients. */
  readonly held: Budget;
  /**
   * The comparison of stored files. It waits for memory while a stream waits for it: taken from the same
   * budget, neither would end.
   */
  readonly verifications: Budget;
}

export function openBudgets(clock: Clock): Budgets {
  return { held: new Budget(40 * MIB, clock), verifications: new Budget(32 * MIB, clock) };
}
