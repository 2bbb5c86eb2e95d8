import type { Emit } from '../../effects/emit.ts';
import type { ResumeEvent } from '../events.ts';
import { type Failure, failureReasonOf } from '../failure.ts';
import type { Lane } from '../health/health.ts';
import { SILENCE_MS } from '../health/doubts.ts';
import { hedgeDelayMs } from '../health/hedge.ts';
import { recordAttempt } from '../health/record-attempt.ts';
import type { Origin } from '../origin.ts';
import { AttemptProgress } from '../request/attempt-progress.ts';
import { type Attempt, attempt, type ResumeOptions } from '../request/attempt.ts';
import { laneOf, type Question } from '../request/question.ts';
import { confirmMissing } from './confirm-404.ts';
import type { RunningRequest } from './decide.ts';
import { confirmRefusal, isFinalRefusal } from './final-refusal.ts';
import { checkKnownFile, type TrialEffects } from './trial.ts';

export interface RaceEffects extends TrialEffects {
  /** Between 0 and 1. */
  readonly random: () => number;
  /** When there has to be an answer, in milliseconds since the epoch. */
  readonly deadline: number;
  /** Aborted when the client has left. */
  readonly signal?: AbortSignal | undefined;
  /** Receives what became of a body that broke off. */
  readonly emit: Emit<ResumeEvent>;
}

/** The other origins of the race. */
export interface Mirrors {
  /** Those that may continue a body. */
  readonly others: readonly Origin[];
  /** Whether there is no other origin at all. */
  readonly isAlone: boolean;
  /**
   * Since when only origins with an open breaker are left, in milliseconds since the epoch.
   * Default: since this one is asked, if its breaker is open.
   */
  readonly hopelessSince?: number | undefined;
}

/**
 * How long origins with an open breaker are waited for, as they are only asked when no better one
 * is left. With the work around it, a request ends within five seconds.
 */
const LAST_RESORT_MS = 4_500;

/** When its known file is asked for meanwhile. */
const LAST_RESORT_CHECK_MS = 2_000;

/**
 * How long a healthy origin is waited for after a 404 of another one: a proxy takes some seconds to
 * fetch a version that was never requested before, and a wrong 404 ends a build.
 */
const WAIT_AFTER_404_MS = 5_000;

/** The request to one origin in a race. */
export class RaceEntry<T> implements RunningRequest {
  readonly origin: Origin;
  readonly hedgeDelayMs: number;
  readonly wasSuspect: boolean;
  /** When a last resort is over; undefined where the origin was asked for another reason. */
  readonly #lastResortUntil: number | undefined;
  #result: Attempt<T> | undefined;
  #ended: Promise<void> = Promise.resolve();
  readonly #effects: RaceEffects;
  readonly #lane: Lane;
  readonly #stop = new AbortController();
  readonly #progress: AttemptProgress;
  readonly #path: string;
  #isChecked = false;
  #isJudged = false;

  private constructor(
    origin: Origin,
    { lane, path }: { readonly lane: Lane; readonly path: string },
    effects: RaceEffects & Mirrors,
  ) {
    const { clock, health, hopelessSince = clock.steady(), isAlone } = effects;
    this.origin = origin;
    this.#path = path;
    // An origin that answers, if only with failures, keeps its time where it is the only one.
    const isLastResort = health.isDown(origin) && (!isAlone || health.isSilent(origin));
    this.#lastResortUntil = isLastResort ? hopelessSince + LAST_RESORT_MS : undefined;
    this.hedgeDelayMs = hedgeDelayMs(health.of(origin).latency);
    this.wasSuspect = health.isSuspect(origin, lane);
    this.#effects = effects;
    this.#lane = lane;
    this.#progress = new AttemptProgress(clock);
  }

  /** Sends the request. */
  static start<T>(
    origin: Origin,
    question: Question<T>,
    effects: RaceEffects & Mirrors,
  ): RaceEntry<T> {
    const { path } = question;
    const entry = new RaceEntry<T>(origin, { lane: laneOf(question), path }, effects);
    effects.health.counters(origin).requests += 1;
    entry.#ended = entry.#run(question, effects);
    return entry;
  }

  async #run(question: Question<T>, mirrors: Mirrors): Promise<void> {
    const { clock, connections, deadline, openDriver } = this.#effects;
    const asked = await attempt(this.origin, question, {
      openDriver,
      clock,
      connections,
      deadline,
      limitMs: deadline - clock.steady(),
      progress: this.#progress,
      signal: this.#stop.signal,
      resume: this.#resumeOptions(question.path, mirrors),
    });
    this.#isJudged = !this.#result && isFinalRefusal(this.origin, question, asked);
    const effects = { ...this.#effects, path: question.path, signal: this.#stop.signal };
    const result = this.#isJudged
      ? await confirmRefusal(this.origin, asked, effects)
      : await confirmMissing(this.origin, asked, effects);
    if (this.#isJudged || !this.#result) this.#conclude(result);
    // It was given up at the same moment.
    else if (result.kind === 'accepted') question.discard?.(result.value);
    this.#isJudged = false;
  }

  /** Resolves when there is a result. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  get result(): Attempt<T> | undefined {
    return this.#result;
  }

  get waitingSince(): number | undefined {
    return this.#isJudged ? undefined : this.#progress.waitingSince;
  }

  get isJudged(): boolean {
    return this.#isJudged;
  }

  get hasHeaders(): boolean {
    return this.#progress.headersMs !== undefined;
  }

  get isSuspect(): boolean {
    return this.#effects.health.isSuspect(this.origin, this.#lane);
  }

  get lastResortUntil(): number {
    const isTripped = this.#effects.health.isTripped(this.origin);
    return isTripped ? (this.#lastResortUntil ?? Infinity) : Infinity;
  }

  get waitAfter404Ms(): number {
    // One failure is no outage: the origin may have been slow with a file that takes long to fetch.
    const { health } = this.#effects;
    const { failures } = health.of(this.origin).reach;
    return failures > 1 || health.isDown(this.origin) ? this.hedgeDelayMs : WAIT_AFTER_404_MS;
  }

  /**
   * Asks the origin for its known file, once, if it has kept this request waiting for long. If the
   * file comes, a last resort has all of its time again.
   */
  checkIfSilent(): void {
    const limitMs = this.#lastResortUntil === undefined ? SILENCE_MS : LAST_RESORT_CHECK_MS;
    if (this.#isChecked || this.#progress.waitingMs < limitMs) return;
    this.#isChecked = true;
    checkKnownFile(this.origin, this.#effects);
  }

  /**
   * Ends it. If it waited longer than usual, its origin is asked after the others until a trial has
   * decided. That it was slow once opens no breaker, because anybody can request a file that takes
   * long to fetch.
   */
  giveUp(): void {
    const { clock, health, signal } = this.#effects;
    const { bytes, headersMs, isConnected, waitingMs } = this.#progress;
    const because = signal?.aborted ? 'the client left' : 'the time was up';
    const failure: Failure = {
      origin: this.origin.name,
      reason: isConnected ? { kind: 'timeout', ms: waitingMs } : { kind: 'not asked', because },
    };
    this.#result = { kind: 'failed', failure };
    const isOvertaken = waitingMs >= this.hedgeDelayMs && !signal?.aborted;
    const lane = this.hasHeaders ? this.#lane : 'reach';
    if (isOvertaken && clock.steady() >= this.lastResortUntil)
      health.recordFailure(this.origin, failure, { bytes, headersMs, lane, path: this.#path });
    else if (isOvertaken) health.recordOvertaken(this.origin, failure, lane);
    this.#stop.abort(new Error('It is not waited for any longer'));
  }

  /** Takes the result of a second request to the same origin. */
  replaceResult(again: RaceEntry<T>): void {
    this.#result = again.result;
  }

  #conclude(result: Attempt<T>): void {
    this.#result = result;
    recordAttempt(this.#effects.health, {
      origin: this.origin,
      result,
      progress: this.#progress,
      lane: this.#lane,
      path: this.#path,
    });
  }

  #resumeOptions(path: string, { isAlone, others }: Mirrors): ResumeOptions {
    const { emit, health, random } = this.#effects;
    let sender = '';
    return {
      others,
      isAlone,
      random,
      onBreak({ origin, error, bytes, headersMs }) {
        sender = origin.name;
        const failure = { origin: sender, reason: failureReasonOf(error) };
        health.recordFailure(origin, failure, { bytes, headersMs, lane: 'bulk', path });
      },
      onRestFound({ origin, offset, tries }) {
        health.counters(origin).resumed += 1;
        const from = origin.name;
        emit({ event: 'resume', path, origin: sender, from, offset, tries, outcome: 'resumed' });
      },
      onGivenUp: ({ offset, tries }) =>
        emit({ event: 'resume', path, origin: sender, offset, tries, outcome: 'given up' }),
    };
  }
}
