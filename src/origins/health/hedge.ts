import { type Latency, percentile } from './latency.ts';

/**
 * When a second origin is started although the first may still answer.
 *
 * Too early doubles everybody's load, too late is felt. So it is started when the first has taken
 * longer than nineteen in twenty of its answers did, within bounds, and a budget keeps the extra
 * requests to one in ten.
 */
const SHARE = 0.95;

/** Milliseconds: below, a hedge gains nothing that anybody feels; above, a developer looks up. */
const SHORTEST = 150;
export const LONGEST_USUAL = 2_000;

/** While too little is known of an origin. */
export const DEFAULT_USUAL = 500;

/**
 * The usual time of an origin until its headers, in milliseconds, for which it is given a head
 * start.
 */
export function usualTime(latency: Latency): number {
  const known = percentile(latency, SHARE);
  return known === undefined
    ? DEFAULT_USUAL
    : Math.round(Math.min(Math.max(known, SHORTEST), LONGEST_USUAL));
}

/**
 * What each request adds to the budget, and what it holds at most: what a cold start or a sudden
 * outage may cost.
 */
const EARNED = 0.1;
const CAPACITY = 10;

/** Bounds the hedges against origins in good standing: in the long run one in ten requests. */
export class HedgeBudget {
  #tokens = CAPACITY;

  /** A request was made. */
  earn(): void {
    this.#tokens = Math.min(this.#tokens + EARNED, CAPACITY);
  }

  /** Whether an extra one may be made; then it is paid for. */
  spend(): boolean {
    // A tenth ten times is a little less than one.
    if (this.#tokens < 1 - 1e-6) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Extra requests that could be made now. */
  get left(): number {
    return Math.floor(this.#tokens + 1e-6);
  }
}
