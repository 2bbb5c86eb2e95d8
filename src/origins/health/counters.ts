import type { FailureReason } from '../failure.ts';

/** What became of the requests to one origin since this isolate started. */
export interface Counters {
  requests: number;
  failures: number;
  /** Requests that took longer than usual and were given up. */
  overtaken: number;
  /** Extra requests that were started because another origin was slow. */
  hedges: number;
  /** Bodies that broke off elsewhere and whose rest this origin sent. */
  resumed: number;
  /** The paths of the last files that it gave, of two modules at most, the newest last. */
  given: readonly string[];
  lastFailure: { readonly reason: FailureReason; readonly at: number } | undefined;
}

export function newCounters(): Counters {
  return {
    requests: 0,
    failures: 0,
    overtaken: 0,
    hedges: 0,
    resumed: 0,
    given: [],
    lastFailure: undefined,
  };
}
