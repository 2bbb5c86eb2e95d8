/**
 * The circuit breaker of one origin: who fails again and again is left alone for a while.
 *
 *     closed --- three failures in a row, or half of the recent ones ---> open
 *     open ----- its time is over -------------------------------------> half-open
 *     half-open - one trial request: success --> closed, failure --> open, for longer
 *
 * A pure state machine: states are values, the time and the dice are arguments. What counts as a
 * failure is the pool's business. A closed breaker with failures is a warning: such an origin is
 * asked after the others and tried again soon.
 */
export interface Breaker {
  /** Failures since the last success. */
  readonly failures: number;
  /** Successes and failures that fade with time. */
  readonly recent: { readonly succeeded: number; readonly failed: number };
  /** Until when it is open, in milliseconds since the epoch; 0 while it is closed. */
  readonly until: number;
  /** How often it opened without a quiet time between. */
  readonly openings: number;
  /** When it was closed again, in milliseconds since the epoch; 0 if it never was open. */
  readonly closedAt: number;
  /** When the last success or failure was seen; 0 for never. */
  readonly at: number;
}

export type BreakerState = 'closed' | 'open' | 'half-open';

export const CLOSED: Breaker = {
  failures: 0,
  recent: { succeeded: 0, failed: 0 },
  until: 0,
  openings: 0,
  closedAt: 0,
  at: 0,
};

/** So many failures in a row open it. */
const MAX_FAILURES = 3;

/** Milliseconds in which a success or a failure loses half of its weight. */
const HALF_LIFE = 30_000;

/**
 * From this weight of recent requests on the share of failures counts, and from this share on it
 * opens.
 */
const MIN_WEIGHT = 8;
const MAX_FAILED_SHARE = 0.5;

/**
 * Milliseconds that it stays open the first time, and at most, before jitter. Each opening doubles
 * it.
 */
const FIRST_OPEN = 30_000;
const LONGEST_OPEN = 300_000;

/** A tenth more or less, so that isolates do not all try at once. */
const JITTER = 0.1;

/** The longest Retry-After that is honoured, in milliseconds: nobody is sent away for a day. */
const LONGEST_RETRY_AFTER = 3_600_000;

/** Milliseconds after it was closed in which another opening goes on where the last one ended. */
const QUIET = 300_000;

/** Milliseconds after which a closed breaker's failure is tried again. */
export const RETRY_WARNED = 5_000;

export function stateOf({ until }: Breaker, now: number): BreakerState {
  if (until === 0) return 'closed';
  return now < until ? 'open' : 'half-open';
}

/** Whether it failed last time; as long as it is not closed, it did. */
export function isUnwell({ failures }: Breaker): boolean {
  return failures > 0;
}

/** When a trial may decide about an unwell origin, in milliseconds since the epoch. */
export function trialDue({ at, until }: Breaker): number {
  return until === 0 ? at + RETRY_WARNED : until;
}

export function afterSuccess(breaker: Breaker, now: number): Breaker {
  const wasOpen = breaker.until > 0;
  const { failed, succeeded } = wasOpen ? CLOSED.recent : faded(breaker, now);
  return {
    ...breaker,
    failures: 0,
    recent: { succeeded: succeeded + 1, failed },
    until: 0,
    closedAt: wasOpen ? now : breaker.closedAt,
    at: now,
  };
}

/** It was slower than another one: that is a warning, which a trial has to confirm. */
export function afterLoss(breaker: Breaker, now: number): Breaker {
  return { ...breaker, failures: Math.max(breaker.failures, 1), at: now };
}

/**
 * `retryAfter` is in seconds: an origin that says so is left alone at once, as long as it wants.
 */
export function afterFailure(
  breaker: Breaker,
  {
    now,
    random,
    retryAfter,
  }: { readonly now: number; readonly random: number; readonly retryAfter?: number },
): Breaker {
  const { failed, succeeded } = faded(breaker, now);
  const recent = { succeeded, failed: failed + 1 };
  const failures = breaker.failures + 1;
  const asked = !retryAfter ? 0 : now + Math.min(retryAfter * 1000, LONGEST_RETRY_AFTER);
  const state = stateOf(breaker, now);
  // Asked for want of a better one: that it failed once more is no news.
  if (state === 'open')
    return { ...breaker, failures, recent, until: Math.max(breaker.until, asked), at: now };

  const isFlapping = state === 'half-open' || now - breaker.closedAt < QUIET;
  const openings = isFlapping ? breaker.openings : 0;
  const known = { ...breaker, failures, recent, openings, at: now };
  const opens = state === 'half-open' || failures >= MAX_FAILURES || isMostlyFailing(recent);
  if (!opens) return { ...known, until: asked };
  const time = Math.min(FIRST_OPEN * 2 ** openings, LONGEST_OPEN) * (1 + JITTER * (2 * random - 1));
  return { ...known, until: Math.max(now + Math.round(time), asked), openings: openings + 1 };
}

function isMostlyFailing({ succeeded, failed }: Breaker['recent']): boolean {
  const weight = succeeded + failed;
  return weight >= MIN_WEIGHT && failed / weight >= MAX_FAILED_SHARE;
}

function faded({ recent, at }: Breaker, now: number): Breaker['recent'] {
  const left = 0.5 ** (Math.max(now - at, 0) / HALF_LIFE);
  return { succeeded: recent.succeeded * left, failed: recent.failed * left };
}
