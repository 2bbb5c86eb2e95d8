import type { Clock } from '../../effects/clock.ts';
import { type Failure, type FailureReason, isBlameless, mayConcernOneFile } from '../failure.ts';
import type { Origin } from '../origin.ts';
import type { KnownFileOf } from '../upstream.ts';
import { KnownAccess } from './access.ts';
import {
  afterFailure,
  afterSuccess,
  afterWarning,
  type Breaker,
  type BreakerState,
  type FailureFacts,
  hasCome,
  isFailing,
  isSuspect,
  RETRY_SUSPECT_MS,
  stateOf,
  trialDueAt,
} from './breaker.ts';
import { type Counters, newCounters } from './counters.ts';
import { Doubts } from './doubts.ts';
import { type Health, type Lane, MIN_RATE_BYTES, UNKNOWN_HEALTH } from './health.ts';
import { HedgeBudget } from './hedge.ts';
import { observe } from './latency.ts';
import { mergeHealth } from './merge-health.ts';
import type { Observation } from './observation.ts';

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

export interface RegistryOptions {
  readonly clock: Pick<Clock, 'now' | 'steady'>;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** Default: none is known, and no breaker opens because of failures that may concern one file. */
  readonly knownFileOf?: KnownFileOf | undefined;
}

/** The health of all origins as this isolate sees it, by their addresses. */
export class HealthRegistry {
  readonly hedgeBudget = new HedgeBudget();
  readonly access = new KnownAccess();
  readonly #health = new Map<string, Health>();
  readonly #counters = new Map<string, Counters>();
  /** Until when a claimed trial keeps other requests from trying. */
  readonly #claimedUntil = new Map<string, number>();
  readonly #heldBackUntil = new Map<string, number>();
  /** Until when no trial follows the last failure, whichever breaker that concerned. */
  readonly #noTrialUntil = new Map<string, number>();
  readonly #doubts = new Map<string, Doubts>();
  readonly #clock: Pick<Clock, 'now' | 'steady'>;
  readonly #random: () => number;
  readonly knownFileOf: KnownFileOf;
  #changes = 0;

  constructor({ clock, knownFileOf = () => undefined, random }: RegistryOptions) {
    this.#clock = clock;
    this.#random = random;
    this.knownFileOf = knownFileOf;
  }

  /** How often a breaker changed its state, or an origin became suspect or stopped being so. */
  get changes(): number {
    return this.#changes;
  }

  of({ url }: Pick<Origin, 'url'>): Health {
    return this.#health.get(url) ?? UNKNOWN_HEALTH;
  }

  counters({ url }: Pick<Origin, 'url'>): Counters {
    const counters = this.#counters.get(url) ?? newCounters();
    this.#counters.set(url, counters);
    return counters;
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

  /** Whether its breaker for answers is open or half-open. */
  isTripped(origin: Origin): boolean {
    return this.of(origin).reach.until > 0;
  }

  /** Whether that is so because it is down: it may have asked for a pause for one file alone. */
  isDown(origin: Origin): boolean {
    const { areConfirmed, hasAskedForPause } = this.#doubtsOf(origin);
    return this.isTripped(origin) && (areConfirmed || !hasAskedForPause);
  }

  /** Whether its breaker is open because it gave no answer at all, not even with its known file. */
  isSilent(origin: Origin): boolean {
    const { areConfirmed, isSilent } = this.#doubtsOf(origin);
    return this.isTripped(origin) && areConfirmed && isSilent;
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
  mayConfirm404(origin: Origin): boolean {
    return this.#isFree(origin, this.of(origin).reach.at + STALE_FAILURE_MS);
  }

  /** Claims that request, which counts as a trial. */
  claim404Confirmation(origin: Origin): boolean {
    return this.mayConfirm404(origin) && this.#claim(origin);
  }

  /** Whether its failures open its breaker if it fails with its known file too. */
  isDoubted(origin: Origin): boolean {
    const { reach } = this.of(origin);
    return reach.until === 0 && (this.#doubtsOf(origin).areMany || isFailing(reach));
  }

  /** Claims the request for its known file, if nobody has asked for that in the last seconds. */
  claimCheck(origin: Origin): boolean {
    return this.#doubtsOf(origin).claimCheck(this.#clock.steady(), TRIAL_CLAIM_MS);
  }

  #isFree({ url }: Origin, dueAt: number): boolean {
    const now = this.#clock.now();
    return hasCome(dueAt, now) && this.#clock.steady() >= (this.#claimedUntil.get(url) ?? 0);
  }

  #claim({ url }: Origin): true {
    this.#claimedUntil.set(url, this.#clock.steady() + TRIAL_CLAIM_MS);
    return true;
  }

  #doubtsOf({ url }: Origin): Doubts {
    const doubts = this.#doubts.get(url) ?? new Doubts();
    this.#doubts.set(url, doubts);
    return doubts;
  }

  /** It gave an answer, which may be that there is no such file. */
  recordSuccess(
    origin: Origin,
    { bodyMs, bytes, headersMs, isKnownFile = false, lane }: Observation,
  ): void {
    const { brokeAfter, bulk, latency, rate, reach } = this.of(origin);
    const now = this.#clock.now();
    const doubts = this.#doubtsOf(origin);
    const isBulk = lane === 'bulk' && bytes > Math.min(brokeAfter, PROVEN_BYTES);
    const newRate = bytes > MIN_RATE_BYTES && bodyMs ? (bytes / bodyMs) * 1000 : undefined;
    const closed = afterSuccess(reach, now);
    const breakers = {
      // An origin that fails with the files of several modules is asked last, though it is not down.
      reach: isKnownFile && doubts.concernFiles ? afterWarning(closed, now) : closed,
      bulk: isBulk ? afterSuccess(bulk, now) : bulk,
    };
    doubts.clear();
    if (isBulk) doubts.clearBroken();
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
  recordFailure(origin: Origin, failure: Failure, observation: Observation): void {
    const { reason, retryAfterSeconds } = failure;
    if (isBlameless(reason)) return;
    const { bytes, headersMs, isKnownFile, lane, path } = observation;
    const counters = this.counters(origin);
    const now = this.#clock.now();
    counters.failures += 1;
    counters.lastFailure = { reason, at: now };
    this.#claimedUntil.delete(origin.url);
    this.#noTrialUntil.set(origin.url, now + RETRY_SUSPECT_MS);
    const health = this.of(origin);
    const doubts = this.#doubtsOf(origin);
    const facts = { now, random: this.#random(), retryAfterSeconds };
    const isBroken = reason.kind === 'timeout' || reason.kind === 'unreachable';
    if (lane === 'bulk' && isBroken && headersMs !== undefined) {
      const isNew = isKnownFile || doubts.addBroken(path);
      const bulk = isNew ? afterFailure(health.bulk, facts) : afterWarning(health.bulk, now);
      this.#set(origin, { ...health, bulk, brokeAfter: brokeAfter(reason, bytes) });
      return;
    }
    if (isKnownFile) doubts.confirm(this.#clock.steady());
    else doubts.add(failure, origin, path);
    this.#set(origin, { ...health, reach: this.#reachAfter(origin, failure, facts) });
  }

  /**
   * The breaker for answers after a failure. What may concern one file is a warning. Where a file
   * is known that the origin has, the breaker opens only after the origin failed with that one too.
   */
  #reachAfter(origin: Origin, failure: Failure, facts: FailureFacts): Breaker {
    const { reach } = this.of(origin);
    const doubts = this.#doubtsOf(origin);
    const opening = this.knownFileOf(origin) ? 'not yet' : 'if failing';
    const counted = mayConcernOneFile(failure)
      ? afterWarning(reach, facts.now)
      : afterFailure(reach, { ...facts, opening });
    const opens = doubts.areConfirmed && (doubts.areMany || isFailing(counted));
    return opens ? afterFailure(reach, { ...facts, opening: 'now' }) : counted;
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
    this.#set(origin, { ...health, [lane]: afterWarning(health[lane], now) });
  }

  /** The health of all origins, by their addresses, to be shared. */
  snapshot(): ReadonlyMap<string, Health> {
    return this.#health;
  }

  /** Takes over what another isolate saw later. */
  merge(others: Iterable<readonly [url: string, health: Health]>): void {
    for (const [url, theirs] of others) {
      const ours = this.#health.get(url) ?? UNKNOWN_HEALTH;
      this.#health.set(url, mergeHealth(ours, theirs));
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

/** A change of this is worth sharing at once. */
function conditionOf({ reach, bulk }: Health): string {
  return [reach, bulk].map((breaker) => `${breaker.until} ${isSuspect(breaker)}`).join();
}
