import { type Clock, within } from '../../effects/clock.ts';
import { SingleFlight } from '../../mirror/single-flight.ts';

/** How long a request waits for the read of another one, which the platform may have ended. */
const MAX_WAIT_MS = 3_000;

/**
 * Shares the read of a tile among the requests of an isolate that need it at the same time. What is
 * shared is not proven: each request proves what it uses.
 */
export class SharedReads<T> {
  readonly #clock: Clock;
  readonly #flights: SingleFlight<T | undefined>;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#flights = new SingleFlight(clock);
  }

  /**
   * What another request is reading under this path, else the result of `read`. Another one's
   * failure is not shared: its client may have left. Rejects as `read` does.
   */
  async read(path: string, read: () => Promise<T>): Promise<T> {
    // No `await` may come between `join` and `lead`, or two requests would lead.
    const leader = this.#flights.join(path);
    if (!leader) return this.#lead(path, read);
    const shared = await within(this.#clock, MAX_WAIT_MS, leader.shared).catch(() => undefined);
    return shared ?? this.#lead(path, read);
  }

  async #lead(path: string, read: () => Promise<T>): Promise<T> {
    const leader = this.#flights.lead(path);
    try {
      const value = await read();
      leader.share(value);
      return value;
    } finally {
      leader.share(undefined); // without effect after the first value
      leader.end();
    }
  }
}
