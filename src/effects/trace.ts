import type { Clock } from './clock.ts';

/** The time that the parts of one request took. */
export interface Trace {
  /** Settles as `work` does. Repeated measurements under one name are added up. */
  measure<T>(name: string, work: Promise<T>): Promise<T>;
  /** Milliseconds by name, in the order of the first measurements to finish. */
  readonly timings: ReadonlyMap<string, number>;
}

export function createTrace(clock: Pick<Clock, 'steady'>): Trace {
  const timings = new Map<string, number>();
  return {
    timings,
    async measure(name, work) {
      const started = clock.steady();
      try {
        return await work;
      } finally {
        timings.set(name, (timings.get(name) ?? 0) + clock.steady() - started);
      }
    },
  };
}
