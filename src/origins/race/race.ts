/**
 * One question to the mirrors of a group, so that none of them can delay the answer.
 *
 *     time ->
 *     A  request |... its hedge delay ...|.............(late)............ aborted: overtaken
 *     B                                   hedge |..... 200: the answer
 *
 * `decide` returns the next step, and the race performs it. The first accepted answer is used, and
 * the other requests are aborted. When all failed, the best origin is asked once more, after a
 * pause: most failures of a network are short.
 *
 * Every outcome is recorded in the health registry. A waiting race looks at the registry ten times
 * a second: when other requests have seen an origin fail, its request is late here too. Nothing
 * here waits for another request's promise, which workerd may never settle.
 */
import type { Clock } from '../../effects/clock.ts';
import type { Failure, NotAsked } from '../failure.ts';
import type { Origin } from '../origin.ts';
import type { Question } from '../request/question.ts';
import type { Missing } from './answer.ts';
import {
  type Action,
  decide,
  isLate,
  isWorthWaiting,
  type RaceState,
  replacesFailure,
  retryPauseMs,
  untilChangeMs,
} from './decide.ts';
import { RaceEntry, type RaceEffects } from './race-entry.ts';

export interface RaceResult<T> {
  readonly accepted: { readonly value: T; readonly origin: string } | undefined;
  readonly missing: Missing | undefined;
  /** In the order in which the origins were asked. */
  readonly failures: readonly Failure[];
  readonly attempts: number;
  /** Whether an origin was asked although another one might still have answered. */
  readonly hedged: boolean;
}

/**
 * Asks `ranked`, best first. Never rejects, and leaves nothing running but the body that was
 * accepted.
 */
export class Race<T> {
  readonly #question: Question<T>;
  readonly #effects: RaceEffects;
  readonly #ranked: readonly Origin[];
  /** The origins that were neither asked nor skipped, in the same order. */
  readonly #left: Origin[];
  readonly #entries: RaceEntry<T>[] = [];
  readonly #skipped: Failure[] = [];
  /** Since when only origins with an open breaker are left; undefined while there are others. */
  readonly #hopelessSince: number | undefined;
  #attempts = 0;
  #hedged = false;

  constructor(ranked: readonly Origin[], question: Question<T>, effects: RaceEffects) {
    this.#question = question;
    this.#effects = effects;
    this.#ranked = ranked;
    this.#left = [...ranked];
    const { clock, health } = effects;
    const isHopeless = ranked.every((origin) => health.isDown(origin));
    this.#hopelessSince = isHopeless ? clock.steady() : undefined;
  }

  async run(): Promise<RaceResult<T>> {
    await this.#untilFinished();
    if (this.#allFailed) await this.#tryAgain();
    for (const entry of this.#running) entry.giveUp();
    const results = this.#entries.flatMap(({ result }) => result ?? []);
    const all = results.filter((result) => result.kind === 'accepted');
    const accepted = this.#isTakenDown ? undefined : all[0];
    for (const { value } of all.filter((result) => result !== accepted))
      this.#question.discard?.(value);
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

  async #untilFinished(): Promise<void> {
    for (;;) {
      for (const entry of this.#running) entry.checkIfSilent();
      const action = decide(this.#state, this.#effects.clock.steady());
      if (action.kind === 'finish') return;
      if (action.kind === 'wait') await this.#wait(action.requests, action.ms);
      else if (action.kind === 'give up') await this.#giveUp(action.requests);
      else this.#perform(action);
    }
  }

  /** Ends requests. Their connections are free afterwards. */
  async #giveUp(entries: readonly RaceEntry<T>[]): Promise<void> {
    for (const entry of entries) entry.giveUp();
    await Promise.all(entries.map(({ ended }) => ended));
  }

  #perform(action: Extract<Action<RaceEntry<T>>, { kind: 'start' | 'skip' }>): void {
    const origin = this.#left.shift();
    if (!origin) return;
    if (action.kind === 'skip') this.#skip(origin, action.because);
    else this.#startNext(origin, action);
  }

  #skip(origin: Origin, because: NotAsked): void {
    this.#skipped.push({ origin: origin.name, reason: { kind: 'not asked', because } });
  }

  #startNext(
    origin: Origin,
    { isBudgeted, isConfirmation, isHedge }: Extract<Action<RaceEntry<T>>, { kind: 'start' }>,
  ): void {
    const { health } = this.#effects;
    if (isConfirmation) health.claim404Confirmation(origin);
    if (isBudgeted) health.hedgeBudget.spend();
    if (isHedge) {
      this.#hedged = true;
      health.counters(origin).hedges += 1;
    }
    this.#entries.push(this.#start(origin));
  }

  get #state(): RaceState<RaceEntry<T>> {
    const { connections, deadline, health, signal } = this.#effects;
    const [next] = this.#isDenied ? [] : this.#left;
    return {
      running: this.#running,
      hasAccepted: this.#entries.some(({ result }) => result?.kind === 'accepted'),
      has404: this.#has404,
      isTakenDown: this.#isTakenDown,
      next: next && {
        isTripped: health.isDown(next),
        mayConfirm404: health.mayConfirm404(next),
      },
      isClientGone: signal?.aborted ?? false,
      deadline,
      hasSpareCalls: connections.hasSpareCalls,
      canHedge: health.hedgeBudget.left > 0,
      isCrowded: connections.isCrowded,
    };
  }

  get #running(): readonly RaceEntry<T>[] {
    return this.#entries.filter(({ result }) => !result);
  }

  /** Whether an origin that has a say in it has answered 404 (docs/decisions/019). */
  get #has404(): boolean {
    const hasOwn = this.#ranked.some(({ carries }) => carries === undefined);
    return this.#entries.some(
      ({ origin, result }) =>
        result?.kind === 'missing' && (!hasOwn || origin.carries === undefined),
    );
  }

  get #allMissing(): readonly Missing[] {
    return this.#entries.flatMap(({ result }) =>
      result?.kind === 'missing' ? result.missing : [],
    );
  }

  /** A takedown, else the first "no such file", else a refusal (403). */
  get #missing(): Missing | undefined {
    const all = this.#allMissing;
    return all.find(({ isFinal }) => isFinal) ?? all.find(({ status }) => status !== 403) ?? all[0];
  }

  get #isTakenDown(): boolean {
    return this.#allMissing.some(({ isFinal }) => isFinal);
  }

  /**
   * Whether every address of a checksum database itself answered 404: then no carrier is asked,
   * which would be told the name of a module that the database has nothing of.
   */
  get #isDenied(): boolean {
    const own = this.#ranked.filter(({ carries }) => carries === undefined);
    const denied = this.#entries.filter(({ result }) => result?.kind === 'missing');
    return own.length > 0 && own.every((one) => denied.some(({ origin }) => origin === one));
  }

  get #allFailed(): boolean {
    return (
      this.#entries.length > 0 && this.#entries.every(({ result }) => result?.kind === 'failed')
    );
  }

  #start(origin: Origin): RaceEntry<T> {
    this.#attempts += 1;
    const { askLast } = this.#question.policy ?? {};
    const others = this.#ranked.filter((other) => other !== origin && !askLast?.(other));
    const isAlone = this.#ranked.length === 1;
    const question: Question<T> = {
      ...this.#question,
      accept: (body) => {
        this.#holdBackLate();
        return this.#question.accept(body);
      },
    };
    const mirrors = { others, isAlone, hopelessSince: this.#hopelessSince };
    return RaceEntry.start(origin, question, { ...this.#effects, ...mirrors });
  }

  /**
   * An answer has come, and checking it may ask the same origins for more: those that are late are
   * not the first to be asked then.
   */
  #holdBackLate(): void {
    const { clock, health } = this.#effects;
    const late = this.#running.filter((entry) => isLate(entry, clock.steady()));
    for (const { origin } of late) health.holdBack(origin);
  }

  async #wait(entries: readonly RaceEntry<T>[], ms: number): Promise<void> {
    await firstOf(
      entries.map(({ ended }) => ended),
      { clock: this.#effects.clock, ms },
    );
  }

  /** Asks the best origin whose failure may have been short once more. */
  async #tryAgain(): Promise<void> {
    const { clock, deadline, random, signal } = this.#effects;
    if (this.#left.length > 0 || this.#skipped.length > 0) return;
    for (const entry of this.#entries) {
      const { origin, result, wasSuspect } = entry;
      // An origin that is alone is asked again also when it was suspect before. One whose breaker
      // is open most likely fails again, and the pause would cost each request time.
      const isAlone = this.#ranked.length === 1 && !this.#effects.health.isTripped(origin);
      const mayRecover = !wasSuspect || isAlone;
      if (result?.kind !== 'failed' || !mayRecover) continue;
      const { failure } = result;
      const pauseMs = retryPauseMs(failure, random());
      if (pauseMs === undefined || clock.steady() + pauseMs >= deadline) continue;
      await clock.sleep(pauseMs, signal).catch(() => undefined);
      if (signal?.aborted) return;
      const again = this.#start(origin);
      await this.#untilEnded(again);
      const isFinal = again.result?.kind === 'missing' && again.result.missing.isFinal;
      if (isFinal || replacesFailure(again.result?.kind ?? 'failed', failure.reason))
        entry.replaceResult(again);
      return;
    }
  }

  async #untilEnded(entry: RaceEntry<T>): Promise<void> {
    const { clock, signal } = this.#effects;
    for (;;) {
      if (entry.result) return;
      entry.checkIfSilent();
      const now = clock.steady();
      const isClientGone = signal?.aborted ?? false;
      if (!isWorthWaiting(entry, { has404: false, isClientGone }, now)) return entry.giveUp();
      await this.#wait([entry], untilChangeMs([entry], now));
    }
  }
}

/** Resolves with the first of `events`, or after `ms` milliseconds. */
async function firstOf(
  events: readonly Promise<void>[],
  { clock, ms }: { readonly clock: Clock; readonly ms: number },
): Promise<void> {
  const over = Promise.withResolvers<void>();
  const cancel = clock.alarm(ms, over.resolve);
  await Promise.race([...events, over.promise]);
  cancel();
}
