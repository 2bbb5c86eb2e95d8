import type { Clock } from '../../effects/clock.ts';
import {
  afterFailure,
  afterLoss,
  afterSuccess,
  type Breaker,
  type BreakerState,
  CLOSED,
  isUnwell,
  RETRY_WARNED,
  stateOf,
  trialDue,
} from './breaker.ts';
import { HedgeBudget } from './hedge.ts';
import { type Latency, observe, UNKNOWN, weightOf } from './latency.ts';
import type { Failure, Origin } from '../origin.ts';

/**
 * What is known of one origin. It has two breakers, as there are networks that let the first 16 KB
 * of a connection through and freeze the rest: `reach` is about answers, `bulk` about bodies of
 * zips that stall or break off.
 */
export interface Health {
  readonly reach: Breaker;
  readonly bulk: Breaker;
  /** Bytes after which the last of those broke: only a longer body shows that it is over. */
  readonly brokeAfter: number;
  /** Milliseconds until the headers of its answers. */
  readonly latency: Latency;
  /** Bytes a second of bodies that were long enough to tell, smoothed; 0 while unknown. */
  readonly rate: number;
}

export const UNHEARD: Health = {
  reach: CLOSED,
  bulk: CLOSED,
  brokeAfter: 0,
  latency: UNKNOWN,
  rate: 0,
};

/** What became of requests to one origin since this isolate started. */
export interface Counters {
  asked: number;
  failed: number;
  /** Others were faster after it had its usual time. */
  lost: number;
  /** Extra requests that were started because another origin was slow. */
  hedges: number;
  /** Bodies that were continued after they broke off. */
  resumed: number;
  lastFailure: { readonly text: string; readonly at: number } | undefined;
}

/** What one request learnt of an origin. */
export interface Observation {
  /** Milliseconds until the headers were there; absent where they never were. */
  readonly headersAfter?: number | undefined;
  /** Bytes of the body that came. */
  readonly bytes: number;
  /** Milliseconds that the body took. */
  readonly bodyMs?: number;
  /** Whether a zip was asked for. */
  readonly isZip: boolean;
}

/** A body of so many bytes tells a rate. */
const RATE_BYTES = 32 * 1024;

/** A body of so many bytes comes through, wherever another one broke. */
export const PROVEN_BYTES = 4 * 1024 * 1024;

/** The part that the newest rate has in the smoothed one. */
const RATE_WEIGHT = 0.3;

/**
 * Milliseconds in which nobody else tries an origin that somebody tries: a trial is over by then.
 */
const TRIAL_TIME = 10_000;

/**
 * Milliseconds after which an open origin's last failure is too old to call a file missing on the
 * word of others.
 */
const STALE_FAILURE = 2_000;

/** What this isolate knows of all its origins, by their addresses. */
export class Pool {
  readonly budget = new HedgeBudget();
  readonly #health = new Map<string, Health>();
  readonly #counters = new Map<string, Counters>();
  /** Until when somebody's trial keeps others from trying. */
  readonly #trialUntil = new Map<string, number>();
  /** Until when no trial follows the last failure, whichever breaker that concerned. */
  readonly #restUntil = new Map<string, number>();
  readonly #clock: Pick<Clock, 'now'>;
  readonly #random: () => number;
  /** Counts what others should hear of. */
  #changes = 0;

  constructor({
    clock,
    random,
  }: {
    readonly clock: Pick<Clock, 'now'>;
    readonly random: () => number;
  }) {
    this.#clock = clock;
    this.#random = random;
  }

  /** How often a breaker changed its state or a warning came or went. */
  get changes(): number {
    return this.#changes;
  }

  health({ url }: Pick<Origin, 'url'>): Health {
    return this.#health.get(url) ?? UNHEARD;
  }

  counters({ url }: Origin): Counters {
    const known = this.#counters.get(url);
    if (known) return known;
    const fresh = { asked: 0, failed: 0, lost: 0, hedges: 0, resumed: 0, lastFailure: undefined };
    this.#counters.set(url, fresh);
    return fresh;
  }

  /** The breaker that matters for a question: for a zip the worse one of both. */
  breaker(origin: Origin, isZip: boolean): Breaker {
    const { bulk, reach } = this.health(origin);
    if (!isZip) return reach;
    if (bulk.until !== reach.until) return bulk.until > reach.until ? bulk : reach;
    return bulk.failures > reach.failures ? bulk : reach;
  }

  state(origin: Origin, isZip: boolean): BreakerState {
    return stateOf(this.breaker(origin, isZip), this.#clock.now());
  }

  /** Whether it failed last time: then it is asked after the others. */
  isUnwell(origin: Origin, isZip: boolean): boolean {
    return isUnwell(this.breaker(origin, isZip));
  }

  /** Whether its breaker is open, or waits for the outcome of a trial. */
  isOut(origin: Origin, isZip: boolean): boolean {
    return this.breaker(origin, isZip).until > 0;
  }

  /** Takes the trial of an unwell origin, if it is due and nobody else is at it. */
  takeTrial(origin: Origin, isZip: boolean): boolean {
    const breaker = this.breaker(origin, isZip);
    return (
      isUnwell(breaker) &&
      this.#take(origin, Math.max(trialDue(breaker), this.#restUntil.get(origin.url) ?? 0))
    );
  }

  /**
   * Takes a trial of an open origin whose last failure is some seconds old, before a file is called
   * missing without it.
   */
  takeLastWord(origin: Origin, isZip: boolean): boolean {
    return this.#take(origin, this.breaker(origin, isZip).at + STALE_FAILURE);
  }

  #take({ url }: Origin, due: number): boolean {
    const now = this.#clock.now();
    if (now < due || now < (this.#trialUntil.get(url) ?? 0)) return false;
    this.#trialUntil.set(url, now + TRIAL_TIME);
    return true;
  }

  /** It gave an answer, if only that there is no such file. */
  succeeded(origin: Origin, { bodyMs, bytes, headersAfter, isZip }: Observation): void {
    const { brokeAfter, bulk, latency, rate, reach } = this.health(origin);
    const now = this.#clock.now();
    const isBulk = isZip && bytes > Math.min(brokeAfter, PROVEN_BYTES);
    const newRate = bytes > RATE_BYTES && bodyMs ? (bytes / bodyMs) * 1000 : undefined;
    const heard = {
      reach: afterSuccess(reach, now),
      bulk: isBulk ? afterSuccess(bulk, now) : bulk,
    };
    if (!isUnwell(heard.bulk)) this.#trialUntil.delete(origin.url);
    this.#set(origin, {
      ...heard,
      brokeAfter: isBulk ? 0 : brokeAfter,
      latency: headersAfter === undefined ? latency : observe(latency, headersAfter),
      rate:
        newRate === undefined ? rate : rate === 0 ? newRate : rate + RATE_WEIGHT * (newRate - rate),
    });
  }

  /** It failed: before or with its headers, or in the body. */
  failed(origin: Origin, failure: Failure, { bytes, headersAfter, isZip }: Observation): void {
    const counters = this.counters(origin);
    const now = this.#clock.now();
    counters.failed += 1;
    counters.lastFailure = { text: failure.text, at: now };
    this.#trialUntil.delete(origin.url);
    this.#restUntil.set(origin.url, now + RETRY_WARNED);
    const health = this.health(origin);
    const isBroken = failure.cause === 'timeout' || failure.cause === 'unreachable';
    const isBulk = isZip && isBroken && headersAfter !== undefined;
    const { retryAfter } = failure;
    const facts = {
      now,
      random: this.#random(),
      ...(retryAfter === undefined ? {} : { retryAfter }),
    };
    this.#set(origin, {
      ...health,
      ...(isBulk
        ? { bulk: afterFailure(health.bulk, facts), brokeAfter: frozenAfter(failure, bytes) }
        : { reach: afterFailure(health.reach, facts) }),
    });
  }

  /**
   * Another one was faster after this one had its usual time, for the headers or (`isBulk`) for
   * more of a zip's body.
   */
  lost(origin: Origin, failure: Failure, isBulk: boolean): void {
    const counters = this.counters(origin);
    const now = this.#clock.now();
    counters.lost += 1;
    counters.lastFailure = { text: failure.text, at: now };
    const health = this.health(origin);
    const lane = isBulk ? 'bulk' : 'reach';
    this.#set(origin, { ...health, [lane]: afterLoss(health[lane], now) });
  }

  /** All that is known, to be shared. */
  snapshot(): ReadonlyMap<string, Health> {
    return this.#health;
  }

  /** Takes over what another isolate knows better: of each breaker what was seen last. */
  merge(others: Iterable<readonly [url: string, health: Health]>): void {
    for (const [url, theirs] of others) {
      const ours = this.#health.get(url) ?? UNHEARD;
      const isNews = theirs.reach.at > ours.reach.at;
      this.#health.set(url, {
        reach: newer(ours.reach, theirs.reach),
        bulk: newer(ours.bulk, theirs.bulk),
        brokeAfter: theirs.bulk.at > ours.bulk.at ? theirs.brokeAfter : ours.brokeAfter,
        latency: isNews && isEnough(theirs.latency, ours.latency) ? theirs.latency : ours.latency,
        rate: isNews && theirs.rate > 0 ? theirs.rate : ours.rate,
      });
    }
  }

  #set({ url }: Origin, health: Health): void {
    const before = this.#health.get(url) ?? UNHEARD;
    this.#health.set(url, health);
    if (mark(before) !== mark(health)) this.#changes += 1;
  }
}

/** A read that was never completed may have had this much less one byte. */
const UNSEEN_BYTES = 16 * 1024;

/** After how many bytes a body broke, at most. */
function frozenAfter({ cause }: Failure, bytes: number): number {
  return cause === 'timeout' ? bytes + UNSEEN_BYTES : bytes;
}

function newer(a: Breaker, b: Breaker): Breaker {
  return b.at > a.at ? b : a;
}

/**
 * So many observations of somebody else's take the place of our own; fewer only where we have fewer
 * still.
 */
const ENOUGH = 5;

function isEnough(theirs: Latency, ours: Latency): boolean {
  return weightOf(theirs) >= Math.min(weightOf(ours), ENOUGH);
}

/** What others should hear of at once when it changes. */
function mark({ reach, bulk }: Health): string {
  return [reach, bulk].map((breaker) => `${breaker.until} ${isUnwell(breaker)}`).join();
}
