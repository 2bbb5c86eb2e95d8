import * as v from 'valibot';
import { MAX_CLOCK_SKEW_MS } from '../clock-skew.ts';

/** The outcome of a probe of one file. It is stored: its names are part of a format. */
export interface FileVerdict {
  /** Whether it answered, which may be that it has no such file. */
  readonly isUp: boolean;
  /** `ok`, `not found`, or what failed. */
  readonly verdict: string;
  /** Milliseconds until the headers; absent where they never arrived. */
  readonly headersAfter?: number;
  /** Bytes of the body that arrived. */
  readonly bytes: number;
  /** Bytes a second, where the body was long enough to measure. */
  readonly rate?: number;
}

/** The outcome of a probe of one upstream. */
export interface ProbeResult {
  /** Of the `Upstream`. */
  readonly id: string;
  /** In milliseconds since the epoch. */
  readonly at: number;
  readonly small: FileVerdict;
  /** Absent where not even the headers of the small file arrived. */
  readonly large?: FileVerdict;
}

/** One run over all upstreams. */
export interface ProbeRound {
  /** When it began, in milliseconds since the epoch. */
  readonly at: number;
  readonly results: readonly ProbeResult[];
}

/** The rounds of the last 24 hours, oldest first. */
export type ProbeHistory = readonly ProbeRound[];

const DAY_MS = 86_400_000;

/** A run every five minutes for a day, and some more. */
const MAX_ROUNDS = 300;

/** All in all, at about 250 bytes each: half a megabyte. */
const MAX_RESULTS = 2_000;

/** In characters. */
const MAX_VERDICT_LENGTH = 120;

/**
 * The history with one more round, without what is older than a day before it, and within its
 * bounds.
 */
export function appendRound(history: ProbeHistory, round: ProbeRound): ProbeHistory {
  let left = MAX_RESULTS;
  const kept: ProbeRound[] = [];
  for (const one of [...lastDay(history, round.at), round].toReversed()) {
    left -= one.results.length;
    if (kept.length === MAX_ROUNDS || (left < 0 && kept.length > 0)) break;
    kept.push(one);
  }
  return kept.toReversed();
}

/** The rounds of the 24 hours before `now`, in milliseconds since the epoch. */
export function lastDay(history: ProbeHistory, now: number): ProbeHistory {
  return history.filter(({ at }) => at > now - DAY_MS && at <= now + MAX_CLOCK_SKEW_MS);
}

/** Of each upstream the result in the last round that probed it, by its id. */
export function lastResults(history: ProbeHistory): ReadonlyMap<string, ProbeResult> {
  return new Map(
    history.flatMap(({ results }) => results.map((result) => [result.id, result] as const)),
  );
}

export const HISTORY_VERSION = 1;
const Amount = v.pipe(v.number(), v.finite(), v.minValue(0));
/** No date lies beyond (ECMA-262 21.4.1.1). */
const Time = v.pipe(Amount, v.maxValue(8.64e15));
const Verdict = v.object({
  isUp: v.boolean(),
  verdict: v.pipe(v.string(), v.maxLength(MAX_VERDICT_LENGTH)),
  headersAfter: v.exactOptional(Amount),
  bytes: Amount,
  rate: v.exactOptional(Amount),
});
const History = v.object({
  version: v.literal(HISTORY_VERSION),
  rounds: v.pipe(
    v.array(
      v.object({
        at: Time,
        results: v.array(
          v.object({ id: v.string(), at: Time, small: Verdict, large: v.exactOptional(Verdict) }),
        ),
      }),
    ),
    v.maxLength(MAX_ROUNDS),
  ),
});

export function encodeHistory(rounds: ProbeHistory): string {
  return JSON.stringify({ version: HISTORY_VERSION, rounds });
}

/** The history in a text, or undefined when it is damaged, or of another version of modferry. */
export function decodeHistory(text: string): ProbeHistory | undefined {
  try {
    const history = v.safeParse(History, JSON.parse(text));
    return history.success ? history.output.rounds : undefined;
  } catch {
    return undefined;
  }
}

/** A verdict that is short enough for the history. */
export function verdictOf(text: string): string {
  return text.length > MAX_VERDICT_LENGTH ? `${text.slice(0, MAX_VERDICT_LENGTH - 1)}…` : text;
}
