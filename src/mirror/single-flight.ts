import type { Clock } from '../effects/clock.ts';

/** Milliseconds after which a leader without a sign of progress counts as dead. */
const ABANDONED_AFTER_MS = 60_000;

/**
 * Single-flight: one fetch for all requests of an isolate that want the same file.
 *
 * The first request leads and does the work; those that come meanwhile wait for what it shares.
 * Only plain values are shared: streams and responses belong to the request that made them, and the
 * platform forbids any other to touch them.
 *
 * The platform may end a leader at any time, because its client left. So no request waits without
 * limit, and a leader that makes no progress is forgotten.
 */
export class SingleFlight<T> {
  readonly #leaders = new Map<string, Leader<T>>();
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /**
   * What the leader of `key` shares, or undefined when there is none and the caller should `lead`.
   */
  join(key: string): Promise<T> | undefined {
    const leader = this.#leaders.get(key);
    if (!leader || this.#clock.now() - leader.progressAt > ABANDONED_AFTER_MS) return undefined;
    leader.waiting += 1;
    return leader.shared;
  }

  lead(key: string): Leader<T> {
    const leader = new Leader<T>(this.#clock, () => {
      if (this.#leaders.get(key) === leader) this.#leaders.delete(key);
    });
    this.#leaders.set(key, leader);
    return leader;
  }
}

/** The request that does the work of a flight. */
export class Leader<T> {
  readonly shared: Promise<T>;
  /** Requests that have joined. */
  waiting = 0;
  /** When it last made progress, in milliseconds since the epoch. */
  progressAt: number;
  readonly #share: (value: T) => void;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #end: () => void;

  constructor(clock: Pick<Clock, 'now'>, end: () => void) {
    const { promise, resolve } = Promise.withResolvers<T>();
    this.shared = promise;
    this.#share = resolve;
    this.#clock = clock;
    this.progressAt = clock.now();
    this.#end = end;
  }

  /**
   * Hands a value to the requests that wait, and to those that join until `end`. The first value
   * counts.
   */
  share(value: T): void {
    this.#share(value);
  }

  /** To be called while the work goes on, if it takes long. */
  touch(): void {
    this.progressAt = this.#clock.now();
  }

  /** From now on the next request leads. */
  end(): void {
    this.#end();
  }
}
