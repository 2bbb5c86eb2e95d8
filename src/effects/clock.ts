/** Time as a dependency, so that tests of time limits do not wait. */
export interface Clock {
  /** Milliseconds since the Unix epoch, for what is stored, shared or shown. It may step. */
  now(): number;
  /** Milliseconds that never step back, for durations and limits within this process alone. */
  steady(): number;
  /** Calls `ring` after `ms` milliseconds, unless the function that it returns was called before. */
  alarm(ms: number, ring: () => void): () => void;
  /**
   * Resolves after `ms` milliseconds, or rejects with the signal's reason as soon as it is aborted.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/**
 * A time that never steps back, made from one that may. Workers have nothing better: there
 * `performance.now()` is `Date.now()`. A step back does not count, and a step forward counts as time
 * that has passed, because an isolate that slept looks the same.
 */
export function steadyTime(now: () => number): () => number {
  let last = 0;
  let steady = 0;
  return function readSteadyTime() {
    const wall = now();
    steady += Math.max(wall - last, 0);
    last = wall;
    return steady;
  };
}

export const systemClock: Clock = {
  now: () => Date.now(),
  steady: steadyTime(Date.now),
  alarm(ms, ring) {
    const timer = setTimeout(ring, ms);
    return () => clearTimeout(timer);
  },
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const abort = () => {
        cancel();
        reject(signal?.reason);
      };
      const cancel = systemClock.alarm(ms, () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      });
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
    }),
};

/** Thrown by `within` when the time limit passes first. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
  readonly ms: number;

  constructor(ms: number) {
    super(`No result within ${ms} ms`);
    this.ms = ms;
  }
}

/**
 * Resolves or rejects as `work` does. Rejects with `TimeoutError` after `ms` milliseconds. `work`
 * itself continues then: the caller cancels or aborts what it started.
 *
 * It stands around every read of a tier, so it makes no AbortController: in workerd one that is
 * aborted costs six times as much CPU as all the rest.
 */
export function within<T>(clock: Pick<Clock, 'alarm'>, ms: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = clock.alarm(ms, () => reject(new TimeoutError(ms)));
    const settle =
      <V>(end: (value: V) => void) =>
      (value: V) => {
        cancel();
        end(value);
      };
    work.then(settle(resolve), settle(reject));
  });
}
