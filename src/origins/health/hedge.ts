import { type Latency, percentile } from './latency.ts';

/**
 * When a second origin is asked although the first one may still answer.
 *
 * Too early doubles the load of every origin, too late is noticed. So the second request starts
 * when the first has taken longer than nineteen in twenty of its answers did, within bounds, and a
 * budget keeps the extra requests to one in ten.
 */
const SHARE = 0.95;

/** A shorter delay saves no time that a developer notices; after the longer one, they do. */
const MIN_HEDGE_DELAY_MS = 150;
export const MAX_HEDGE_DELAY_MS = 2_000;

/** While an origin has given too few answers. */
const DEFAULT_HEDGE_DELAY_MS = 500;

/** How long an origin may take until its headers before another one is asked too. */
export function hedgeDelayMs(latency: Latency): number {
  const usualMs = percentile(latency, SHARE);
  return usualMs === undefined
    ? DEFAULT_HEDGE_DELAY_MS
    : Math.round(Math.min(Math.max(usualMs, MIN_HEDGE_DELAY_MS), MAX_HEDGE_DELAY_MS));
}

/**
 * What each request adds to the budget, and what it holds at most: what a cold start or a sudden
 * outage may cost.
 */
const EARNED = 0.1;
const CAPACITY = 10;

/** Bounds the hedges against origins that are not suspect: in the long run one in ten requests. */
export class HedgeBudget {
  #tokens = CAPACITY;

  /** A request was made. */
  earn(): void {
    this.#tokens = Math.min(this.#tokens + EARNED, CAPACITY);
  }

  /** Takes one extra request from the budget; false if none is left. */
  spend(): boolean {
    if (this.left === 0) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Extra requests that could be made now. */
  get left(): number {
    // Ten times a tenth is a little less than one.
    return Math.floor(this.#tokens + 1e-6);
  }
}
