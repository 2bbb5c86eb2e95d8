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
  lastFailure: { readonly reason: FailureReason; readonly at: number } | undefined;
}

export function newCounters(): Counters {
  return { requests: 0, failures: 0, overtaken: 0, hedges: 0, resumed: 0, lastFailure: undefined };
}
