/** Time as an argument, so that every rule about time is tested without waiting. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
  /**
   * Resolves after `ms` milliseconds, or rejects with the signal's reason as soon as it is aborted.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      const abort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, ms);
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
    }),
};

/** What `within` throws when the time is up. */
export class TimeoutError extends Error {
  override readonly name = 'TimeoutError';
  readonly ms: number;

  constructor(ms: number) {
    super(`No result within ${ms} ms`);
    this.ms = ms;
  }
}

/**
 * The result of `work`, or a `TimeoutError` when it takes longer than `ms` milliseconds. `work`
 * itself is not ended: the caller cancels or aborts what it started.
 */
export async function within<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  const over = new AbortController();
  const alarm = clock.sleep(ms, over.signal).then(() => {
    throw new TimeoutError(ms);
  });
  alarm.catch(() => undefined);
  try {
    return await Promise.race([work, alarm]);
  } finally {
    over.abort();
  }
}
