import type { Clock } from '../effects/clock.ts';

/** Milliseconds without progress after which a leader counts as ended. */
const ABANDONED_AFTER_MS = 60_000;

/**
 * Single-flight: one fetch for all concurrent requests of an isolate for the same file.
 *
 * The first request leads and does the work. Later requests wait for the value that it shares. Only
 * plain values are shared: the platform forbids a request to use a stream or response of another
 * one.
 *
 * The platform may end a leader at any time, because its client disconnected. So a waiting request
 * needs a time limit of its own, and a leader without progress is ignored.
 */
export class SingleFlight<T> {
  readonly #leaders = new Map<string, Leader<T>>();
  readonly #clock: Pick<Clock, 'steady'>;

  constructor(clock: Pick<Clock, 'steady'>) {
    this.#clock = clock;
  }

  /**
   * Joins the flight of `key`: the value that its leader shares, a promise that may never settle.
   * Undefined when there is no leader and the caller should `lead`.
   */
  join(key: string): Promise<T> | undefined {
    const leader = this.#leaders.get(key);
    if (!leader || this.#clock.steady() - leader.progressAt > ABANDONED_AFTER_MS) return undefined;
    leader.waiting += 1;
    return leader.shared;
  }

  /** Starts a flight of `key`, in place of any other. */
  lead(key: string): Leader<T> {
    const leader = new Leader<T>(this.#clock, () => {
      if (this.#leaders.get(key) === leader) this.#leaders.delete(key);
    });
    this.#leaders.set(key, leader);
    return leader;
  }
}

/** The request that does the work of a flight, as the other requests see it. */
export class Leader<T> {
  readonly shared: Promise<T>;
  /** The number of requests that have joined. */
  waiting = 0;
  /** The last sign of progress, in milliseconds since the epoch. */
  progressAt: number;
  readonly #share: (value: T) => void;
  readonly #clock: Pick<Clock, 'steady'>;
  readonly #end: () => void;

  constructor(clock: Pick<Clock, 'steady'>, end: () => void) {
    const { promise, resolve } = Promise.withResolvers<T>();
    this.shared = promise;
    this.#share = resolve;
    this.#clock = clock;
    this.progressAt = clock.steady();
    this.#end = end;
  }

  /**
   * Shares a value with the requests that wait and with those that join before `end`. Only the
   * first call has an effect.
   */
  share(value: T): void {
    this.#share(value);
  }

  /** Records progress. Long work calls this often. */
  touch(): void {
    this.progressAt = this.#clock.steady();
  }

  /** Ends the flight: the next request leads. */
  end(): void {
    this.#end();
  }
}
