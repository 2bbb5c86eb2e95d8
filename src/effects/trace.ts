import type { Clock } from './clock.ts';

/**
 * Where the time of one request went: milliseconds by name, in the order in which the parts were
 * first measured.
 */
export interface Trace {
  measure<T>(name: string, work: Promise<T>): Promise<T>;
  readonly timings: ReadonlyMap<string, number>;
}

export function createTrace(clock: Pick<Clock, 'now'>): Trace {
  const timings = new Map<string, number>();
  return {
    timings,
    async measure(name, work) {
      const started = clock.now();
      try {
        return await work;
      } finally {
        timings.set(name, (timings.get(name) ?? 0) + clock.now() - started);
      }
    },
  };
}
