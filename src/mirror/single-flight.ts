import type { Clock } from '../effects/clock.ts';

/** Milliseconds without progress after which a leader is given up by those who wait for it. */
export const SILENCE_MS = 3_000;

/**
 * Single-flight: one fetch for all concurrent requests of an isolate for the same file.
 *
 * The first request leads and does the work. Later requests wait for the value that it shares. Only
 * plain values are shared: the platform forbids a request to use a stream or response of another
 * one.
 *
 * The platform may end a leader at any time, because its client disconnected. So a waiting request
 * needs a timer of its own, and a leader without progress is ignored.
 */
export class SingleFlight<T> {
  /** The leaders of each key that have not ended, in the order in which they began to lead. */
  readonly #leaders = new Map<string, Leader<T>[]>();
  readonly #clock: Pick<Clock, 'steady'>;

  constructor(clock: Pick<Clock, 'steady'>) {
    this.#clock = clock;
  }

  /**
   * Joins the flight of `key`. The value that its leader shares may never come. Undefined when there
   * is no leader, or none that makes progress, and the caller should `lead`.
   */
  join(key: string): Leader<T> | undefined {
    const leader = this.#leaders.get(key)?.at(-1);
    if (!leader || leader.hasLanded || leader.silentMs >= SILENCE_MS) return undefined;
    leader.waiting += 1;
    return leader;
  }

  /** Starts a flight of `key`, in place of any other. */
  lead(key: string): Leader<T> {
    const leader = new Leader<T>(this.#clock, () => {
      const others = this.#alive(key).filter((other) => other !== leader);
      if (others.length > 0) this.#leaders.set(key, others);
      else this.#leaders.delete(key);
    });
    this.#leaders.set(key, [...this.#alive(key), leader]);
    return leader;
  }

  /** How many requests do the work for `key` at this moment, also those that nobody waits for. */
  count(key: string): number {
    return this.#alive(key).length;
  }

  #alive(key: string): readonly Leader<T>[] {
    const now = this.#clock.steady();
    return (this.#leaders.get(key) ?? []).filter(({ aliveAt }) => now - aliveAt < SILENCE_MS);
  }
}

/** The request that does the work of a flight, as the other requests see it. */
export class Leader<T> {
  readonly shared: Promise<T>;
  /** The number of requests that wait for it. */
  waiting = 0;
  /** Whether nobody may join any more. */
  hasLanded = false;
  hasEnded = false;
  /** The last sign of life, in milliseconds since the epoch. */
  aliveAt: number;
  /** The last sign of progress, in milliseconds since the epoch. */
  #progressAt: number;
  #received: (() => number | undefined) | undefined;
  #lastReceived: number | undefined;
  readonly #share: (value: T) => void;
  readonly #clock: Pick<Clock, 'steady'>;
  readonly #end: () => void;

  constructor(clock: Pick<Clock, 'steady'>, end: () => void) {
    const { promise, resolve } = Promise.withResolvers<T>();
    this.shared = promise;
    this.#share = resolve;
    this.#clock = clock;
    this.aliveAt = clock.steady();
    this.#progressAt = this.aliveAt;
    this.#end = end;
  }

  /**
   * Shares a value with the requests that wait and with those that join before `land`. Only the
   * first call has an effect.
   */
  share(value: T): void {
    this.#share(value);
  }

  /**
   * A sign of life, to be given more often than every `SILENCE_MS`. It counts as progress, because
   * all that a leader waits for has a time limit. While it streams a body, only bytes are progress.
   */
  beat(): void {
    this.aliveAt = this.#clock.steady();
    const received = this.#received?.();
    if (received === undefined || received !== this.#lastReceived) this.#progressAt = this.aliveAt;
    this.#lastReceived = received;
  }

  /**
   * From now on the leader streams a body. `received` returns the bytes that have arrived;
   * undefined while the leader does not wait for any.
   */
  stream(received: () => number | undefined): void {
    this.#received = received;
  }

  /** Whether the leader has begun to stream a body. */
  get isStreaming(): boolean {
    return this.#received !== undefined;
  }

  /** Milliseconds since the last sign of progress. */
  get silentMs(): number {
    return this.#clock.steady() - this.#progressAt;
  }

  /** A request that joined waits no longer. */
  leave(): void {
    this.waiting -= 1;
  }

  /** Nobody may join any more: the next request leads. */
  land(): void {
    this.hasLanded = true;
  }

  /** Ends the flight: the work is done. */
  end(): void {
    this.land();
    this.hasEnded = true;
    this.#end();
  }
}
