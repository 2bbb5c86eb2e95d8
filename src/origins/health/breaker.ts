import { MAX_CLOCK_SKEW_MS } from '../clock-skew.ts';

/**
 * The circuit breaker of one origin: after repeated failures it is not asked for a while.
 *
 *     closed --- three failures in a row, or half of the recent ones ---> open
 *     open ----- its time is over -------------------------------------> half-open
 *     half-open - one trial request: success --> closed, failure --> open, for longer
 *
 * A pure state machine: states are values, the time and the random number are arguments. The health
 * registry decides what counts as a failure. An origin whose breaker is closed after a failure is
 * suspect: it is asked after the others and tried again soon.
 */
export interface Breaker {
  /** Failures since the last success. */
  readonly failures: number;
  /** Successes and failures, whose weight fades with time. */
  readonly recent: { readonly succeeded: number; readonly failed: number };
  /** When it stops being open, in milliseconds since the epoch; 0 while it is closed. */
  readonly until: number;
  /** How often it opened without a quiet time in between. */
  readonly openings: number;
  /** When it was closed again, in milliseconds since the epoch; 0 if it was never open. */
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
export const MAX_FAILURES = 3;

/** In this time a success or a failure loses half of its weight. */
const HALF_LIFE_MS = 30_000;

/** The share of failures counts from this weight of recent requests on, and opens it from here. */
const MIN_WEIGHT = 8;
const MAX_FAILED_SHARE = 0.5;

/** How long it stays open the first time, and at most, before jitter. Each opening doubles it. */
const FIRST_OPEN_MS = 30_000;
const MAX_OPEN_MS = 300_000;

/** A tenth more or less, so that isolates do not all try at once. */
const JITTER = 0.1;

/** The longest Retry-After that is honoured: a longer one would disable an origin for too long. */
export const MAX_RETRY_AFTER_MS = 3_600_000;

/** An opening so soon after the last one ended continues its doubling. */
const QUIET_MS = 300_000;

/** How long after its last failure an origin whose breaker is closed is tried again. */
export const RETRY_SUSPECT_MS = 5_000;

/**
 * Whether a time of a breaker has come. These are times of the wall clock, because isolates share
 * them. One that is further away than any that is ever set was set before the clock stepped back.
 */
export function hasCome(time: number, now: number): boolean {
  return now >= time || time - now > MAX_RETRY_AFTER_MS + MAX_CLOCK_SKEW_MS;
}

export function stateOf({ until }: Breaker, now: number): BreakerState {
  if (until === 0) return 'closed';
  return hasCome(until, now) ? 'half-open' : 'open';
}

/** Whether the last request failed; that holds as long as the breaker is not closed. */
export function isSuspect({ failures }: Breaker): boolean {
  return failures > 0;
}

/** When a trial of a suspect origin is due, in milliseconds since the epoch. */
export function trialDueAt({ at, until }: Breaker): number {
  return until === 0 ? at + RETRY_SUSPECT_MS : until;
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

/**
 * Something speaks against the origin that may concern one file alone: it was slower than another
 * one, or failed with that file. It is suspect until a trial has decided.
 */
export function afterWarning(breaker: Breaker, now: number): Breaker {
  return { ...breaker, failures: Math.max(breaker.failures, 1), at: now };
}

export interface FailureFacts {
  readonly now: number;
  /** Between 0 and 1. */
  readonly random: number;
  /** From a Retry-After header, which opens the breaker at once. */
  readonly retryAfterSeconds?: number | undefined;
  /**
   * Whether the breaker opens: when the origin is failing, whatever came before, or not because of
   * this failure.
   *
   * @default 'if failing'
   */
  readonly opening?: 'if failing' | 'now' | 'not yet' | undefined;
}

export function afterFailure(
  breaker: Breaker,
  { now, opening = 'if failing', random, retryAfterSeconds }: FailureFacts,
): Breaker {
  const { failed, succeeded } = faded(breaker, now);
  const recent = { succeeded, failed: failed + 1 };
  const failures = breaker.failures + 1;
  const retryAt = !retryAfterSeconds
    ? 0
    : now + Math.min(retryAfterSeconds * 1000, MAX_RETRY_AFTER_MS);
  const state = stateOf(breaker, now);
  // An open origin is only asked as a last resort: one more failure prolongs nothing.
  if (state === 'open')
    return { ...breaker, failures, recent, until: Math.max(breaker.until, retryAt), at: now };

  const isFlapping = state === 'half-open' || now - breaker.closedAt < QUIET_MS;
  const openings = isFlapping ? breaker.openings : 0;
  const counted = { ...breaker, failures, recent, openings, at: now };
  const opens = opening === 'now' || (opening === 'if failing' && isFailing(counted));
  if (!opens) return { ...counted, until: retryAt || breaker.until };
  const jitter = 1 + JITTER * (2 * random - 1);
  const openMs = Math.min(FIRST_OPEN_MS * 2 ** openings, MAX_OPEN_MS) * jitter;
  return {
    ...counted,
    until: Math.max(now + Math.round(openMs), retryAt),
    openings: openings + 1,
  };
}

/** Whether its failures are enough to open it: its time of being open may just be over. */
export function isFailing({ failures, recent, until }: Breaker): boolean {
  return until > 0 || failures >= MAX_FAILURES || isMostlyFailing(recent);
}

function isMostlyFailing({ succeeded, failed }: Breaker['recent']): boolean {
  const weight = succeeded + failed;
  return weight >= MIN_WEIGHT && failed / weight >= MAX_FAILED_SHARE;
}

function faded({ recent, at }: Breaker, now: number): Breaker['recent'] {
  const left = 0.5 ** (Math.max(now - at, 0) / HALF_LIFE_MS);
  return { succeeded: recent.succeeded * left, failed: recent.failed * left };
}
