/**
 * The next step of a race, as a pure function of its state and the time.
 *
 * - The best origin is asked first. Each request has its hedge delay to show progress: headers,
 *   then each 16 KiB of the body. When every running request is late, the next origin is asked too:
 *   at once after a failure, and out of the hedge budget when a request is merely late.
 * - A 404 is the answer when no origin is left that may have the file. Every origin whose breaker
 *   is closed is asked. One with an open breaker is asked once in a few seconds before a file is
 *   called missing, and only then.
 * - A late request is waited for after a 404: five seconds where its origin was healthy, as a wrong
 *   404 ends a build, and its hedge delay where its origin failed before.
 */
import type { FailureReason, NotAsked } from '../failure.ts';
import { MAX_HEDGE_DELAY_MS } from '../health/hedge.ts';

/** A request without a result. */
export interface RunningRequest {
  /**
   * Since when the origin keeps modferry waiting; undefined while modferry itself is at work, and
   * while the request waits for a connection.
   */
  readonly waitingSince: number | undefined;
  /** How long it may wait before it is late. */
  readonly hedgeDelayMs: number;
  /** How long it may wait when another origin has answered 404. */
  readonly waitAfter404Ms: number;
  readonly hasHeaders: boolean;
  /**
   * Until when it is waited for if nothing comes, in milliseconds since the epoch: its origin was
   * asked as a last resort. Infinity for every other request.
   */
  readonly lastResortUntil: number;
  /** Whether it was answered with a final refusal that is being confirmed (final-refusal.ts). */
  readonly isJudged: boolean;
  /** Whether its origin was suspect when the request started, and whether it is now. */
  readonly wasSuspect: boolean;
  readonly isSuspect: boolean;
}

export interface RaceState<R extends RunningRequest> {
  readonly running: readonly R[];
  readonly hasAccepted: boolean;
  readonly has404: boolean;
  /** Whether an origin has refused the file for all of them. */
  readonly isTakenDown: boolean;
  /** The next origin in the ranking; undefined when all were asked or skipped. */
  readonly next:
    | {
        /** Whether its breaker is open or half-open. */
        readonly isTripped: boolean;
        /** Whether it may be asked nevertheless before a file is called missing. */
        readonly mayConfirm404: boolean;
      }
    | undefined;
  readonly isClientGone: boolean;
  /** When there has to be an answer, in milliseconds since the epoch. */
  readonly deadline: number;
  /** Whether the platform allows more calls than the answer itself needs. */
  readonly hasSpareCalls: boolean;
  /** Whether the hedge budget has an extra request. */
  readonly canHedge: boolean;
  /** Whether a call of this request waits for a connection, here or in another race. */
  readonly isCrowded: boolean;
}

export type Action<R extends RunningRequest> =
  /** Ask the next origin. */
  | {
      readonly kind: 'start';
      /** Another request may still be answered. */
      readonly isHedge: boolean;
      /** The hedge comes out of the budget. */
      readonly isBudgeted: boolean;
      /** It is the one request to an open origin before a file is called missing. */
      readonly isConfirmation: boolean;
    }
  /** Pass over the next origin. */
  | { readonly kind: 'skip'; readonly because: NotAsked }
  | { readonly kind: 'give up'; readonly requests: readonly R[] }
  /** Wait until one of the requests has a result, at most for some time. */
  | { readonly kind: 'wait'; readonly requests: readonly R[]; readonly ms: number }
  | { readonly kind: 'finish' };

/**
 * Six connections of a request may wait for headers, and the checksum database needs some of them.
 */
const MAX_RUNNING = 3;

/** How often a waiting race looks at what other requests have recorded of the origins. */
const POLL_MS = 100;

export function decide<R extends RunningRequest>(state: RaceState<R>, now: number): Action<R> {
  if (state.isTakenDown) return { kind: 'finish' };
  // What may be a takedown is neither outrun nor asked about elsewhere.
  const judged = state.running.filter(({ isJudged }) => isJudged);
  if (judged.length > 0) return { kind: 'wait', requests: judged, ms: POLL_MS };
  if (state.hasAccepted) return { kind: 'finish' };
  const step = giveConnection(state, now) ?? nextOrigin(state, now);
  if (step) return step;
  const awaited = state.running.filter((request) => isWorthWaiting(request, state, now));
  if (awaited.length > 0)
    return { kind: 'wait', requests: awaited, ms: untilChangeMs(awaited, now) };
  return state.next ? { kind: 'give up', requests: state.running } : { kind: 'finish' };
}

/**
 * Gives up a request that keeps a connection for which others wait. The last hope of a race keeps
 * it, and after a 404 each may be that.
 */
function giveConnection<R extends RunningRequest>(
  { has404, isCrowded, next, running }: RaceState<R>,
  now: number,
): Action<R> | undefined {
  const isLastHope = running.length === 1 && (!next || next.isTripped);
  if (!isCrowded || has404 || isLastHope) return undefined;
  return makeRoom(
    running.filter(({ hasHeaders }) => !hasHeaders),
    now,
  );
}

/** What to do about the next origin; undefined when it is not its turn yet. */
function nextOrigin<R extends RunningRequest>(
  state: RaceState<R>,
  now: number,
): Action<R> | undefined {
  const { canHedge, has404, next, running } = state;
  if (!next) return undefined;
  if (state.isClientGone) return { kind: 'skip', because: 'the client left' };
  if (running.some((request) => !isLate(request, now))) return undefined;
  if (now >= state.deadline) return { kind: 'skip', because: 'the time was up' };
  if (running.length >= MAX_RUNNING) return makeRoom(running, now);
  const isConfirmation = has404 && next.isTripped;
  if (isConfirmation && !next.mayConfirm404)
    return { kind: 'skip', because: 'it failed a moment ago' };
  // After a 404 another origin is asked because it may have the file: that is no hedge.
  const isHedge = running.length > 0 && !has404;
  // Against suspect origins alone a hedge is free, and when nobody answers it is no luxury.
  const isBudgeted =
    isHedge && running.some((request) => !request.isSuspect && !isVeryLate(request, now));
  if ((isHedge && !state.hasSpareCalls) || (isBudgeted && !canHedge)) return undefined;
  return { kind: 'start', isHedge, isBudgeted, isConfirmation };
}

/** Gives up the request that has waited longest, if that is long enough. */
function makeRoom<R extends RunningRequest>(
  running: readonly R[],
  now: number,
): Action<R> | undefined {
  const [longest] = running.toSorted((a, b) => waitingMs(b, now) - waitingMs(a, now));
  if (!longest || waitingMs(longest, now) < MAX_HEDGE_DELAY_MS) return undefined;
  return { kind: 'give up', requests: [longest] };
}

/**
 * Whether it waited longer than usual, or other requests have seen its origin fail since it
 * started.
 */
export function isLate(request: RunningRequest, now: number): boolean {
  const ms = waitingMs(request, now);
  const hasFailedMeanwhile = !request.wasSuspect && request.isSuspect;
  return ms >= request.hedgeDelayMs || (hasFailedMeanwhile && ms > 0);
}

/** Whether it waited for twice as long as usual: then its origin may be down. */
function isVeryLate(request: RunningRequest, now: number): boolean {
  return waitingMs(request, now) >= 2 * request.hedgeDelayMs;
}

/** Whether a request without a result may still bring the answer. */
export function isWorthWaiting(
  request: RunningRequest,
  { has404, isClientGone }: Pick<RaceState<RunningRequest>, 'has404' | 'isClientGone'>,
  now: number,
): boolean {
  // After the client left only an answer that has begun is of use: it is stored for the next one.
  if (isClientGone && !request.hasHeaders) return false;
  if (now >= request.lastResortUntil && isLate(request, now)) return false;
  return !has404 || waitingMs(request, now) < request.waitAfter404Ms;
}

/** How long until a decision about these requests may change. */
export function untilChangeMs(requests: readonly RunningRequest[], now: number): number {
  const due = requests.flatMap((request) => {
    const ms = waitingMs(request, now);
    const lefts = [request.hedgeDelayMs - ms, request.waitAfter404Ms - ms];
    return [...lefts, request.lastResortUntil - now].filter((left) => left > 0);
  });
  return Math.min(POLL_MS, ...due);
}

function waitingMs({ waitingSince }: RunningRequest, now: number): number {
  return waitingSince === undefined ? 0 : Math.max(now - waitingSince, 0);
}

/** The longest Retry-After that a second request waits for. */
const MAX_RETRY_PAUSE_MS = 2_000;

const NOT_RETRIED: ReadonlySet<FailureReason['kind']> = new Set([
  'timeout',
  'no access',
  'not asked',
  'not now',
  'mismatch',
  'limit',
  'no memory',
]);

/**
 * How long to wait before an origin is asked once more; undefined where that is of no use. After a
 * timeout no time is left, a file with a wrong hash stays wrong, what kept the origin from being
 * asked still does, the platform allows a request no more calls later, and a longer Retry-After is
 * respected. `random` is between 0 and 1.
 */
export function retryPauseMs(
  {
    reason,
    retryAfterSeconds,
  }: { readonly reason: FailureReason; readonly retryAfterSeconds?: number | undefined },
  random: number,
): number | undefined {
  if (NOT_RETRIED.has(reason.kind)) return undefined;
  if (retryAfterSeconds === undefined) return 50 + random * 200;
  const pauseMs = retryAfterSeconds * 1000;
  return pauseMs <= MAX_RETRY_PAUSE_MS ? pauseMs : undefined;
}

/**
 * Whether a second request to the same origin replaces the failure of the first. An answer that
 * cannot be the file, followed by "no such file", is not a reliable 404.
 */
export function replacesFailure(
  second: 'accepted' | 'missing' | 'failed',
  first: FailureReason,
): boolean {
  return second !== 'missing' || !WRONG_ANSWERS.has(first.kind);
}

const WRONG_ANSWERS: ReadonlySet<FailureReason['kind']> = new Set([
  'redirect',
  'wrong length',
  'too long',
  'wrong content',
]);
