import type { Clock } from '../../effects/clock.ts';
import { type Failure, type FailureReason, isBlameless } from '../failure.ts';
import type { Origin } from '../origin.ts';
import {
  afterFailure,
  afterOvertaken,
  afterSuccess,
  type Breaker,
  type BreakerState,
  hasCome,
  isSuspect,
  RETRY_SUSPECT_MS,
  stateOf,
  trialDueAt,
} from './breaker.ts';
import { type Health, type Lane, MIN_RATE_BYTES, UNKNOWN_HEALTH } from './health.ts';
import { HedgeBudget } from './hedge.ts';
import { type Latency, observe, weightOf } from './latency.ts';

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

/** What was measured of one request to an origin. */
export interface Observation {
  /** Until the headers had arrived; absent where they never did. */
  readonly headersMs?: number | undefined;
  /** Bytes of the body that arrived. */
  readonly bytes: number;
  /** How long the body took. */
  readonly bodyMs?: number | undefined;
  readonly lane: Lane;
}

/** A body of so many bytes shows that long ones come through, wherever another one broke. */
export const PROVEN_BYTES = 4 * 1024 * 1024;

/** The part that the newest rate has in the smoothed one. */
const RATE_WEIGHT = 0.3;

/** How long a trial may take. */
export const TRIAL_LIMIT_MS = 5_000;

/** A trial without an outcome by then was ended by the platform. */
const TRIAL_CLAIM_MS = 2 * TRIAL_LIMIT_MS;

/** How long an origin that was late is asked after the others, while an answer is checked. */
const HELD_BACK_MS = 5_000;

/** A failure of an open origin that is older does not decide any more whether a file is missing. */
const STALE_FAILURE_MS = 2_000;

/** The health of all origins as this isolate sees it, by their addresses. */
export class HealthRegistry {
  readonly hedgeBudget = new HedgeBudget();
  readonly #health = new Map<string, Health>();
  readonly #counters = new Map<string, Counters>();
  /** Until when a claimed trial keeps other requests from trying. */
  readonly #claimedUntil = new Map<string, number>();
  readonly #heldBackUntil = new Map<string, number>();
  /** Until when no trial follows the last failure, whichever breaker that concerned. */
  readonly #noTrialUntil = new Map<string, number>();
  readonly #clock: Pick<Clock, 'now' | 'steady'>;
  readonly #random: () => number;
  #changes = 0;

  constructor({
    clock,
    random,
  }: {
    readonly clock: Pick<Clock, 'now' | 'steady'>;
    readonly random: () => number;
  }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** How often a breaker changed its state, or an origin became suspect or stopped being so. */
  get changes(): number {
    return this.#changes;
  }

  of({ url }: Pick<Origin, 'url'>): Health {
    return this.#health.get(url) ?? UNKNOWN_HEALTH;
  }

  counters({ url }: Pick<Origin, 'url'>): Counters {
    const counted = this.#counters.get(url);
    if (counted) return counted;
    const fresh = {
      requests: 0,
      failures: 0,
      overtaken: 0,
      hedges: 0,
      resumed: 0,
      lastFailure: undefined,
    };
    this.#counters.set(url, fresh);
    return fresh;
  }

  /** The breaker that matters in a lane: a bulk request needs both, so the worse one counts. */
  breaker(origin: Origin, lane: Lane): Breaker {
    const { bulk, reach } = this.of(origin);
    if (lane === 'reach') return reach;
    if (bulk.until !== reach.until) return bulk.until > reach.until ? bulk : reach;
    return bulk.failures > reach.failures ? bulk : reach;
  }

  state(origin: Origin, lane: Lane): BreakerState {
    return stateOf(this.breaker(origin, lane), this.#clock.now());
  }

  /** Whether its last request failed: then it is asked after the others. */
  isSuspect(origin: Origin, lane: Lane): boolean {
    return isSuspect(this.breaker(origin, lane));
  }

  /**
   * Has it asked after the others for some seconds, or until it answers: it is late, and another
   * origin has answered. Nothing counts against it yet, as that answer may prove wrong.
   */
  holdBack({ url }: Origin): void {
    this.#heldBackUntil.set(url, this.#clock.steady() + HELD_BACK_MS);
  }

  isHeldBack({ url }: Origin): boolean {
    return this.#clock.steady() < (this.#heldBackUntil.get(url) ?? 0);
  }

  /** Whether its breaker is open or half-open. */
  isTripped(origin: Origin, lane: Lane): boolean {
    return this.breaker(origin, lane).until > 0;
  }

  /** Claims the trial of a suspect origin, if it is due and no other request has claimed it. */
  claimTrial(origin: Origin, lane: Lane): boolean {
    const breaker = this.breaker(origin, lane);
    if (!isSuspect(breaker)) return false;
    const dueAt = Math.max(trialDueAt(breaker), this.#noTrialUntil.get(origin.url) ?? 0);
    return this.#isFree(origin, dueAt) && this.#claim(origin);
  }

  /**
   * Whether an open origin may be asked before a file is called missing: its last failure is some
   * seconds old, and no other request has claimed a trial.
   */
  mayConfirm404(origin: Origin, lane: Lane): boolean {
    return this.#isFree(origin, this.breaker(origin, lane).at + STALE_FAILURE_MS);
  }

  /** Claims that request, which counts as a trial. */
  claim404Confirmation(origin: Origin, lane: Lane): boolean {
    return this.mayConfirm404(origin, lane) && this.#claim(origin);
  }

  #isFree({ url }: Origin, dueAt: number): boolean {
    const now = this.#clock.now();
    return hasCome(dueAt, now) && this.#clock.steady() >= (this.#claimedUntil.get(url) ?? 0);
  }

  #claim({ url }: Origin): true {
    this.#claimedUntil.set(url, this.#clock.steady() + TRIAL_CLAIM_MS);
    return true;
  }

  /** It gave an answer, which may be that there is no such file. */
  recordSuccess(origin: Origin, { bodyMs, bytes, headersMs, lane }: Observation): void {
    const { brokeAfter, bulk, latency, rate, reach } = this.of(origin);
    const now = this.#clock.now();
    const isBulk = lane === 'bulk' && bytes > Math.min(brokeAfter, PROVEN_BYTES);
    const newRate = bytes > MIN_RATE_BYTES && bodyMs ? (bytes / bodyMs) * 1000 : undefined;
    const breakers = {
      reach: afterSuccess(reach, now),
      bulk: isBulk ? afterSuccess(bulk, now) : bulk,
    };
    if (!isSuspect(breakers.bulk)) this.#claimedUntil.delete(origin.url);
    this.#heldBackUntil.delete(origin.url);
    this.#set(origin, {
      ...breakers,
      brokeAfter: isBulk ? 0 : brokeAfter,
      latency: headersMs === undefined ? latency : observe(latency, headersMs),
      rate:
        newRate === undefined ? rate : rate === 0 ? newRate : rate + RATE_WEIGHT * (newRate - rate),
    });
  }

  /** It failed: before or with its headers, or in the body. Ignores what is no origin's fault. */
  recordFailure(
    origin: Origin,
    { reason, retryAfterSeconds }: Failure,
    { bytes, headersMs, lane }: Observation,
  ): void {
    if (isBlameless(reason)) return;
    const counters = this.counters(origin);
    const now = this.#clock.now();
    counters.failures += 1;
    counters.lastFailure = { reason, at: now };
    this.#claimedUntil.delete(origin.url);
    this.#noTrialUntil.set(origin.url, now + RETRY_SUSPECT_MS);
    const health = this.of(origin);
    const isBroken = reason.kind === 'timeout' || reason.kind === 'unreachable';
    const isBulk = lane === 'bulk' && isBroken && headersMs !== undefined;
    const facts = { now, random: this.#random(), retryAfterSeconds };
    this.#set(origin, {
      ...health,
      ...(isBulk
        ? { bulk: afterFailure(health.bulk, facts), brokeAfter: brokeAfter(reason, bytes) }
        : { reach: afterFailure(health.reach, facts) }),
    });
  }

  /**
   * Another origin answered after this one had taken longer than usual, for its headers or for the
   * next part of a bulk body: `lane` says which.
   */
  recordOvertaken(origin: Origin, { reason }: Failure, lane: Lane): void {
    const counters = this.counters(origin);
    const now = this.#clock.now();
    counters.overtaken += 1;
    counters.lastFailure = { reason, at: now };
    const health = this.of(origin);
    this.#set(origin, { ...health, [lane]: afterOvertaken(health[lane], now) });
  }

  /** The health of all origins, by their addresses, to be shared. */
  snapshot(): ReadonlyMap<string, Health> {
    return this.#health;
  }

  /** Takes over what another isolate saw later; each breaker is taken on its own. */
  merge(others: Iterable<readonly [url: string, health: Health]>): void {
    for (const [url, theirs] of others) {
      const ours = this.#health.get(url) ?? UNKNOWN_HEALTH;
      const isLater = theirs.reach.at > ours.reach.at;
      this.#health.set(url, {
        reach: later(ours.reach, theirs.reach),
        bulk: later(ours.bulk, theirs.bulk),
        brokeAfter: theirs.bulk.at > ours.bulk.at ? theirs.brokeAfter : ours.brokeAfter,
        latency: isLater && isEnough(theirs.latency, ours.latency) ? theirs.latency : ours.latency,
        rate: isLater && theirs.rate > 0 ? theirs.rate : ours.rate,
      });
    }
  }

  #set({ url }: Origin, health: Health): void {
    const before = this.#health.get(url) ?? UNKNOWN_HEALTH;
    this.#health.set(url, health);
    if (conditionOf(before) !== conditionOf(health)) this.#changes += 1;
  }
}

/** A read that was never completed may have received one byte less than this. */
const UNSEEN_BYTES = 16 * 1024;

/** After how many bytes a body broke, at most. */
function brokeAfter({ kind }: FailureReason, bytes: number): number {
  return kind === 'timeout' ? bytes + UNSEEN_BYTES : bytes;
}

function later(a: Breaker, b: Breaker): Breaker {
  return b.at > a.at ? b : a;
}

/**
 * So many observations of another isolate replace our own; fewer do only where ours are fewer
 * still.
 */
const ENOUGH = 5;

function isEnough(theirs: Latency, ours: Latency): boolean {
  return weightOf(theirs) >= Math.min(weightOf(ours), ENOUGH);
}

/** A change of this is worth sharing at once. */
function conditionOf({ reach, bulk }: Health): string {
  return [reach, bulk].map((breaker) => `${breaker.until} ${isSuspect(breaker)}`).join();
}
