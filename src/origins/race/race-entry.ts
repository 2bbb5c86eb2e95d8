import {
  type Attempt,
  attempt,
  type AttemptEffects,
  failureOf,
  type Question,
  type Resuming,
} from '../request/attempt.ts';
import { usualTime } from '../health/hedge.ts';
import { learn } from '../health/record-attempt.ts';
import type { Failure, Origin } from '../origin.ts';
import type { Pool } from '../health/pool.ts';
import { Vitals } from '../request/attempt-progress.ts';

export interface RaceEffects extends AttemptEffects {
  readonly pool: Pool;
  /** Between 0 and 1. */
  readonly random: () => number;
  /** When there has to be an answer, in milliseconds since the epoch. */
  readonly deadline: number;
  /** Aborted when the client has gone. */
  readonly signal?: AbortSignal | undefined;
  /** Told what became of a body that broke off. */
  readonly onResume?: (event: ResumeEvent) => void;
}

/** What became of a body that broke off. */
export interface ResumeEvent {
  /** Path of the file at the origin. */
  readonly path: string;
  /** Whose body it was. */
  readonly origin: string;
  /** Who was found to send the rest. */
  readonly from?: string;
  /** Bytes that were delivered by then. */
  readonly offset: number;
  /** Requests until then. */
  readonly tries: number;
  readonly outcome: 'resumed' | 'given up';
}

/** Who else there is. */
interface Mirrors {
  readonly others: readonly Origin[];
  readonly isAlone: boolean;
}

/**
 * Milliseconds for an origin with an open breaker, which is asked for want of a better one; and
 * where there is a spare answer.
 */
const LAST_RESORT = 5_000;
const LAST_RESORT_WITH_SPARE = 1_500;

/**
 * Milliseconds: a version that nobody has asked for before takes a proxy some seconds to fetch, and
 * a wrong 404 ends a build.
 */
const HOPE = 5_000;

/** One origin on its way to an answer, and what may be hoped of it. */
export class Runner<T> {
  readonly origin: Origin;
  /** Milliseconds of silence after which it is late. */
  readonly patience: number;
  readonly wasUnwell: boolean;
  /** Resolves when there is a result. */
  readonly ended: Promise<void>;
  #result: Attempt<T> | undefined;
  readonly #effects: RaceEffects;
  readonly #isZip: boolean;
  readonly #stop = new AbortController();
  readonly #vitals: Vitals;

  /**
   * Starts at once. `others` are its mirrors that may continue a body of it; where it `isAlone`
   * there is no other at all.
   */
  constructor(
    origin: Origin,
    question: Question<T>,
    { isAlone, others, ...effects }: RaceEffects & Mirrors,
  ) {
    const { clock, deadline, pool } = effects;
    this.origin = origin;
    this.#effects = effects;
    this.#isZip = question.isZip ?? false;
    this.#vitals = new Vitals(clock);
    this.patience = usualTime(pool.health(origin).latency);
    this.wasUnwell = pool.isUnwell(origin, this.#isZip);
    pool.counters(origin).asked += 1;
    const left = deadline - clock.now();
    const lastResort = question.hasSpare ? LAST_RESORT_WITH_SPARE : LAST_RESORT;
    this.ended = attempt(origin, question, {
      ...effects,
      ms: pool.isOut(origin, this.#isZip) ? Math.min(left, lastResort) : left,
      vitals: this.#vitals,
      signal: this.#stop.signal,
      resuming: resumingAt(question.path, { ...effects, others, isAlone }),
    }).then((result) => {
      if (!this.#result) this.#conclude(result);
      else if (result.kind === 'accepted') question.discard?.(result.value); // it was given up in the same moment
    });
  }

  get result(): Attempt<T> | undefined {
    return this.#result;
  }

  /** Milliseconds that it has kept us waiting for its next sign of life. */
  get silence(): number {
    return this.#vitals.silence;
  }

  get hasHeaders(): boolean {
    return this.#vitals.headersAfter !== undefined;
  }

  /** Whether it was silent for longer than usual, or others have seen it fail meanwhile. */
  get isLate(): boolean {
    const isBadNews = !this.wasUnwell && this.#isUnwell;
    return this.silence >= this.patience || (isBadNews && this.silence > 0);
  }

  /** Milliseconds of silence for which it is waited for when another one said 404. */
  get hope(): number {
    // A warning is no verdict: it may have been slow once, for a file that takes long to fetch.
    const { failures, until } = this.#effects.pool.breaker(this.origin, this.#isZip);
    return failures > 1 || until > 0 ? this.patience : HOPE;
  }

  /**
   * Ends it. If it had its usual time and more, others are asked before it until a trial has
   * decided: that it was slow once is no reason to open its breaker, as anybody can ask for what
   * takes time to fetch.
   */
  giveUp(): void {
    const { pool, signal } = this.#effects;
    const seconds = Math.round(this.silence / 100) / 10;
    const failure: Failure = {
      origin: this.origin.name,
      cause: 'timeout',
      text: `no answer within ${seconds} s`,
    };
    const isLoss = this.silence >= this.patience && !signal?.aborted;
    this.#result = { kind: 'failed', failure };
    if (isLoss) pool.lost(this.origin, failure, this.#isZip && this.hasHeaders);
    this.#stop.abort(new Error('Another origin was faster'));
  }

  /** Takes the result of a second try of the same origin. */
  replace(again: Runner<T>): void {
    this.#result = again.result;
  }

  #conclude(result: Attempt<T>): void {
    this.#result = result;
    learn(this.#effects.pool, {
      origin: this.origin,
      result,
      vitals: this.#vitals,
      isZip: this.#isZip,
    });
  }

  get #isUnwell(): boolean {
    return this.#effects.pool.isUnwell(this.origin, this.#isZip);
  }
}

/** How a body is continued when it breaks off, and who hears of that. */
function resumingAt(
  path: string,
  {
    isAlone,
    onResume,
    others,
    pool,
    random,
  }: Pick<RaceEffects, 'onResume' | 'pool' | 'random'> & Mirrors,
): Resuming {
  let sender = '';
  return {
    others,
    isAlone,
    random,
    onBroken({ origin, error, ...facts }) {
      sender = origin.name;
      pool.failed(origin, failureOf(origin, error), { ...facts, isZip: true });
    },
    onResumed({ origin, offset, tries }) {
      pool.counters(origin).resumed += 1;
      onResume?.({ path, origin: sender, from: origin.name, offset, tries, outcome: 'resumed' });
    },
    onGivenUp: ({ offset, tries }) =>
      onResume?.({ path, origin: sender, offset, tries, outcome: 'given up' }),
  };
}
