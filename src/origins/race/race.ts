/**
 * One question to the mirrors of a group, so that none of them can hold it up.
 *
 *     time ->
 *     A  asked |....... its usual time .......|.............(overdue)........ aborted: it lost
 *     B                                       hedge |..... 200: the answer
 *
 * - The best one is asked first. Each has its usual time until the next sign of life: headers, then
 *   each 16 KiB of the body. When nobody who was asked is in time any more, the next one is asked
 *   too: at once after a failure, after a look at the hedge budget when somebody is merely late.
 *   The first usable answer wins, and the others are aborted.
 * - A 404 is the answer when nobody is left who may know better. Everybody who is well, or failed
 *   only lately, is asked. Who is late is waited for: two seconds where it was well, as a wrong 404
 *   ends a build, its usual time where it failed before. Who has an open breaker is asked for its
 *   word once in a few seconds, and only then.
 * - When everybody failed, the best one is asked once more, after a pause: most failures of a
 *   network are short.
 *
 * What is learnt goes to the pool. While a request waits it looks at the pool ten times a second:
 * that others have seen an origin fail makes it late for this one too. Nothing here waits for
 * another request's promise, which workerd may never settle.
 */
import type { Clock } from '../../effects/clock.ts';
import type { Missing } from '../../store/contract.ts';
import type { Question } from '../request/attempt.ts';
import type { Failure, Origin } from '../origin.ts';
import { LONGEST_USUAL } from '../health/hedge.ts';
import { type RaceEffects, Runner } from './race-entry.ts';

export interface RaceResult<T> {
  readonly accepted: { readonly value: T; readonly origin: string } | undefined;
  /** A definite "no such file". */
  readonly missing: Missing | undefined;
  /** What went wrong, in the order in which the origins were asked. */
  readonly failures: readonly Failure[];
  readonly attempts: number;
  /** Whether an origin was asked although another one might still have answered. */
  readonly hedged: boolean;
}

/**
 * Six connections of a request may wait for headers, and the checksum database needs some of them.
 */
const MAX_IN_FLIGHT = 3;

/** Milliseconds between two looks at what others have learnt. */
const GLANCE = 100;

/** The longest that a Retry-After is waited for, in milliseconds. */
const PATIENCE = 2_000;

/**
 * Asks `ranked`, best first. Never rejects, and leaves nothing running but the body that was
 * accepted.
 */
export class Race<T> {
  readonly #question: Question<T>;
  readonly #effects: RaceEffects;
  readonly #ranked: readonly Origin[];
  readonly #left: Origin[];
  readonly #runners: Runner<T>[] = [];
  readonly #skipped: Failure[] = [];
  #attempts = 0;
  #hedged = false;

  constructor(ranked: readonly Origin[], question: Question<T>, effects: RaceEffects) {
    this.#question = question;
    this.#effects = effects;
    this.#ranked = ranked;
    this.#left = [...ranked];
  }

  async run(): Promise<RaceResult<T>> {
    await this.#untilDecided();
    if (this.#allFailed) await this.#tryAgain();
    for (const runner of this.#inFlight) runner.giveUp();
    const results = this.#runners.flatMap(({ result }) => result ?? []);
    const [accepted, ...tooLate] = results.filter((result) => result.kind === 'accepted');
    for (const { value } of tooLate) this.#question.discard?.(value);
    return {
      accepted,
      missing: this.#missing,
      failures: [
        ...results.flatMap((result) => (result.kind === 'failed' ? result.failure : [])),
        ...this.#skipped,
      ],
      attempts: this.#attempts,
      hedged: this.#hedged,
    };
  }

  async #untilDecided(): Promise<void> {
    while (!this.#runners.some(({ result }) => result?.kind === 'accepted')) {
      if (this.#startNext()) continue;
      const hopes = this.#inFlight.filter((runner) => this.#isWorthWaiting(runner));
      if (hopes.length === 0 && this.#left.length === 0) return;
      // Nobody who was asked is hoped for any more, and others are left.
      if (hopes.length === 0) for (const runner of this.#inFlight) runner.giveUp();
      else await this.#somethingHappens(hopes);
    }
  }

  get #inFlight(): readonly Runner<T>[] {
    return this.#runners.filter(({ result }) => !result);
  }

  get #missing(): Missing | undefined {
    const found = this.#runners.find(({ result }) => result?.kind === 'missing')?.result;
    return found?.kind === 'missing' ? found.missing : undefined;
  }

  get #allFailed(): boolean {
    return (
      this.#runners.length > 0 && this.#runners.every(({ result }) => result?.kind === 'failed')
    );
  }

  /** Asks the next origin if it is its turn. */
  #startNext(): boolean {
    const { clock, deadline, pool, signal } = this.#effects;
    const next = this.#left[0];
    const late = this.#inFlight;
    if (!next) return false;
    if (signal?.aborted) return this.#skip('not asked, the client left');
    if (late.some((runner) => !runner.isLate)) return false;
    if (clock.now() >= deadline) return this.#skip('not asked, the time was up');
    if (late.length >= MAX_IN_FLIGHT && !this.#makeRoom(late)) return false;
    // To ask another one whether it knows better than a 404 is no hedge.
    const isHedge = late.length > 0 && !this.#missing;
    if (this.#missing && pool.isOut(next, this.#isZip) && !pool.takeLastWord(next, this.#isZip)) {
      return this.#skip('not asked, as it failed a moment ago');
    }
    const isWellLiked = late.some(({ origin }) => !pool.isUnwell(origin, this.#isZip));
    if (isHedge && isWellLiked && !pool.budget.spend()) return false;

    this.#left.shift();
    if (isHedge) {
      this.#hedged = true;
      pool.counters(next).hedges += 1;
    }
    this.#start(next);
    return true;
  }

  /** Gives up who has been silent longest, if that is long. */
  #makeRoom(late: readonly Runner<T>[]): boolean {
    const [longest] = late.toSorted((a, b) => b.silence - a.silence);
    if (!longest || longest.silence < LONGEST_USUAL) return false;
    longest.giveUp();
    return true;
  }

  #skip(text: string): true {
    const origin = this.#left.shift();
    if (origin) this.#skipped.push({ origin: origin.name, cause: 'timeout', text });
    return true;
  }

  #start(origin: Origin): void {
    this.#runners.push(this.#run(origin));
  }

  #run(origin: Origin): Runner<T> {
    this.#attempts += 1;
    const others = this.#ranked.filter(
      (other) => other !== origin && !this.#question.isLast?.(other),
    );
    return new Runner(origin, this.#question, {
      ...this.#effects,
      others,
      isAlone: this.#ranked.length === 1,
    });
  }

  #isWorthWaiting(runner: Runner<T>): boolean {
    const { signal } = this.#effects;
    // Nobody waits for an answer any more: what has begun to come is kept for the next one who
    // asks.
    if (signal?.aborted && !runner.hasHeaders) return false;
    return !this.#missing || runner.silence < runner.hope;
  }

  async #somethingHappens(hopes: readonly Runner<T>[]): Promise<void> {
    const { clock } = this.#effects;
    const due = hopes.flatMap(({ hope, patience, silence }) =>
      [patience - silence, hope - silence].filter((ms) => ms > 0),
    );
    await oneOf(
      hopes.map(({ ended }) => ended),
      { clock, ms: Math.min(GLANCE, ...due) },
    );
  }

  /** One more try of the best origin that may have had an accident. */
  async #tryAgain(): Promise<void> {
    const { clock, deadline, random, signal } = this.#effects;
    if (this.#left.length > 0 || this.#skipped.length > 0) return;
    for (const runner of this.#runners) {
      const { origin, result, wasUnwell } = runner;
      // The only one is asked again whatever is known of it: there is nobody else.
      const isAccident = !wasUnwell || this.#ranked.length === 1;
      if (result?.kind !== 'failed' || !isAccident) continue;
      const pause = retryPause(result.failure, random);
      if (pause === undefined || clock.now() + pause >= deadline) continue;
      await clock.sleep(pause, signal).catch(() => undefined);
      if (signal?.aborted) return;
      const again = this.#run(origin);
      while (!again.result && this.#isWorthWaiting(again)) await this.#somethingHappens([again]);
      if (!again.result) again.giveUp();
      // Something that cannot be the file, and then "no such file": that is no word to believe.
      const isBelieved = again.result?.kind !== 'missing' || result.failure.cause !== 'answer';
      if (isBelieved) runner.replace(again);
      return;
    }
  }

  get #isZip(): boolean {
    return this.#question.isZip ?? false;
  }
}

/** Resolves with the first of `events`, or after `ms` milliseconds. */
async function oneOf(
  events: readonly Promise<void>[],
  { clock, ms }: { readonly clock: Clock; readonly ms: number },
): Promise<void> {
  const over = new AbortController();
  const alarm = clock.sleep(ms, over.signal).catch(() => undefined);
  await Promise.race([...events, alarm]);
  over.abort();
}

/**
 * Milliseconds to wait before an origin is asked once more, or undefined where that is no use:
 * after a timeout the time is gone, a wrong file stays wrong, and an origin that asks for more
 * patience than a developer has gets its way.
 */
function retryPause(failure: Failure, random: () => number): number | undefined {
  if (failure.cause === 'timeout' || failure.cause === 'mismatch') return undefined;
  if (failure.retryAfter === undefined) return 50 + random() * 200;
  return failure.retryAfter * 1000 <= PATIENCE ? failure.retryAfter * 1000 : undefined;
}
