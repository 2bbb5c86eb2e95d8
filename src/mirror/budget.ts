import type { Clock } from '../effects/clock.ts';

/** Milliseconds between two looks at whether memory came free. */
const LOOK_AGAIN = 50;

/**
 * Milliseconds after which memory counts as free although nobody gave it back: the platform may end
 * a request in the middle, and then nothing of it runs any more.
 */
const LEASE = 5 * 60_000;

/** Gives memory back; a second call does nothing. */
export type Release = () => void;

/**
 * The bytes that the requests of an isolate may hold in memory together. An isolate has 128 MB for
 * all of them, and a go command fetches many zips at once: whoever gets nothing here streams in
 * small pieces instead, or waits.
 */
export class Budget {
  #left: number;
  readonly #clock: Clock;
  readonly #leases = new Map<Release, number>();

  constructor(bytes: number, clock: Clock) {
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
   * Does `work` while it holds `bytes`, as soon as there are that many. `bytes` must fit in the
   * whole budget.
   */
  async holding<T>(bytes: number, work: () => Promise<T>): Promise<T> {
    // Looking again, and no queue: a promise that another request resolves is nothing to rely on.
    let release = this.take(bytes);
    while (!release) {
      await this.#clock.sleep(LOOK_AGAIN);
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
    for (const [release, taken] of this.#leases) if (now - taken > LEASE) release();
  }
}

const MIB = 1024 * 1024;

/** What an isolate may hold, of its 128 MB. */
export interface Budgets {
  /**
   * Zips that are whole in memory, twice while they are copied out, and what streams are ahead of
   * their clients.
   */
  readonly held: Budget;
  /**
   * The proofs of stored zips. They wait for memory while a stream waits for them: taken from the
   * same, none would ever end.
   */
  readonly proofs: Budget;
}

export function openBudgets(clock: Clock): Budgets {
  return { held: new Budget(40 * MIB, clock), proofs: new Budget(32 * MIB, clock) };
}
