import type { Clock } from '../effects/clock.ts';

/**
 * One fetch for many waiting requests of an isolate.
 *
 * The first request leads and does the work; those that come while it is under way wait for what it
 * shares. Only plain values are shared: streams and responses belong to the request that made them,
 * and the platform forbids any other to touch them.
 *
 * A leader can die without a word (its client left and the platform ended it), so nobody waits
 * without limit, and a flight without a sign of life is forgotten.
 */
export class Flights<T> {
  readonly #open = new Map<string, Flight<T>>();
  readonly #clock: Pick<Clock, 'now'>;
  readonly #abandonedAfter: number;

  /** `abandonedAfter` is in milliseconds. */
  constructor(clock: Pick<Clock, 'now'>, abandonedAfter = 60_000) {
    this.#clock = clock;
    this.#abandonedAfter = abandonedAfter;
  }

  /**
   * What the leader of `key` shares, or undefined when there is none and the caller should `lead`.
   */
  join(key: string): Promise<T> | undefined {
    const flight = this.#open.get(key);
    if (!flight || this.#clock.now() - flight.lastSign > this.#abandonedAfter) return undefined;
    flight.joined += 1;
    return flight.shared;
  }

  lead(key: string): Flight<T> {
    const flight = new Flight<T>(this.#clock, () => {
      if (this.#open.get(key) === flight) this.#open.delete(key);
    });
    this.#open.set(key, flight);
    return flight;
  }
}

export class Flight<T> {
  readonly shared: Promise<T>;
  /** How many requests have joined the leader's. */
  joined = 0;
  lastSign: number;
  readonly #share: (value: T) => void;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #land: () => void;

  constructor(clock: Pick<Clock, 'now'>, land: () => void) {
    const { promise, resolve } = Promise.withResolvers<T>();
    this.shared = promise;
    this.#share = resolve;
    this.#clock = clock;
    this.lastSign = clock.now();
    this.#land = land;
  }

  /** Tells everybody who waits; those who join later get it too, until `land`. */
  share(value: T): void {
    this.#share(value);
  }

  /** A sign of life, for flights that take long. */
  touch(): void {
    this.lastSign = this.#clock.now();
  }

  /** From now on a request leads its own flight. */
  land(): void {
    this.#land();
  }
}
