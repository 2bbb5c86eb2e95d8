/**
 * Outcomes without a file, and their texts for Go developers. The go command prints the body of an
 * error response if it is plain text without control characters, at most 8 lines and 648 bytes of
 * it (cmd/go/internal/web/api.go). The HTTP layer appends the request id.
 */
import { type Failure, failureText } from '../origins/failure.ts';
import type { Missing as MissingAnswer } from '../origins/race/answer.ts';
import type { NegativeHit } from '../store/tiers.ts';
import { LOCAL, type Missing, type Refused, type Source, type Unavailable } from './outcome.ts';

/** The outcome for a path outside the GOPROXY protocol. */
export function malformed(reason: string): Missing {
  return {
    kind: 'missing',
    status: 404,
    text: `not found: ${reason}`,
    cache: 'negative',
    source: LOCAL,
  };
}

/**
 * The outcome where nothing is stored and the request may not fetch. proxy.golang.org words it in
 * the same way.
 */
export function notCached(subject: string): Missing {
  return {
    kind: 'missing',
    status: 404,
    text: `not found: temporarily unavailable: ${subject} is not cached, and this request does not fetch`,
    cache: 'failure',
    source: LOCAL,
  };
}

/**
 * The "not found" or the refusal (403) of an origin, with the origin's text. A "not found" is cached
 * only if it is unanimous: otherwise an origin that was not asked, or that failed, may have the file.
 */
export function missing(
  subject: string,
  { status, text, origin }: MissingAnswer,
  { isUnanimous, source }: { readonly isUnanimous: boolean; readonly source: Source },
): Missing | Refused {
  const reason = withoutSubject(text, subject) || `status ${status}`;
  if (status === 403)
    return { kind: 'refused', text: `refused: ${subject}: ${origin} says: ${reason}`, source };
  return {
    kind: 'missing',
    status,
    text: `not found: ${subject}: ${origin} says: ${reason}`,
    cache: isUnanimous ? 'negative' : 'failure',
    source,
  };
}

/**
 * An origin's text without the beginning that the outcome has anyway. The origin may be another
 * modferry.
 */
function withoutSubject(text: string, subject: string): string {
  const rest = text.replace(/^(?:cannot get|not found:|refused:)\s+/i, '');
  return rest.startsWith(`${subject}: `) ? rest.slice(subject.length + 2) : rest;
}

/** The outcome for a negative entry: what an origin answered a moment ago. */
export function missingStored(
  subject: string,
  { missing: said, tier }: NegativeHit,
): Missing | Refused {
  const source: Source = { from: 'store', tier, origin: said.origin };
  return missing(subject, said, { isUnanimous: true, source });
}

/**
 * No configured origin serves the module. That is not an outage: the client may have another
 * source.
 */
function notServed(subject: string): Missing {
  return {
    kind: 'missing',
    status: 404,
    text: `not found: ${subject}: no origin of this proxy serves it`,
    cache: 'failure',
    source: LOCAL,
  };
}

/**
 * The outcome where every origin failed and nothing is stored; a 404 where no origin serves the
 * module.
 */
export function unavailable(
  subject: string,
  failures: readonly Failure[],
  source: Source,
): Unavailable | Missing {
  if (failures.length === 0) return notServed(subject);
  const causes = failures.map(({ origin, reason }) => `${origin}: ${causeOf(reason, subject)}`);
  const retryAfterSeconds = Math.max(...failures.map(retryAfterSecondsOf));
  return {
    kind: 'unavailable',
    status: statusOf(failures.map(({ reason }) => reason.kind)),
    text: `cannot get ${subject}: ${causes.join('; ')}`,
    retryAfterSeconds: retryAfterSeconds > 0 ? retryAfterSeconds : undefined,
    source,
  };
}

function causeOf(reason: Failure['reason'], subject: string): string {
  const hasWords = reason.kind === 'status' || reason.kind === 'overloaded';
  if (!hasWords || reason.words === undefined) return failureText(reason);
  return failureText({ ...reason, words: withoutSubject(reason.words, subject) });
}

/** Seconds after which a file that others fetch may be stored. */
const FETCHED_SOON_SECONDS = 5;

/** The outcome where other requests fetch the file, and this one may wait no longer. */
export function stillFetched(subject: string): Unavailable {
  return tryAgain(503, subject, 'other requests are still fetching it');
}

/** The outcome where other requests failed to fetch the file, one after the other. */
export function brokeOff(subject: string): Unavailable {
  return tryAgain(503, subject, 'it broke off for other requests, one after the other');
}

/** The outcome where the file is checked before its first byte is sent, and that takes longer. */
export function stillChecked(subject: string): Unavailable {
  return tryAgain(504, subject, 'it is fetched and checked before it is sent, which goes on');
}

function tryAgain(status: 503 | 504, subject: string, cause: string): Unavailable {
  return {
    kind: 'unavailable',
    status,
    text: `cannot get ${subject}: ${cause}`,
    retryAfterSeconds: FETCHED_SOON_SECONDS,
    source: LOCAL,
  };
}

/** The platform's limit is one for each request, so the next one may succeed. */
function retryAfterSecondsOf({ reason, retryAfterSeconds }: Failure): number {
  if (reason.kind === 'no memory') return FETCHED_SOON_SECONDS;
  return retryAfterSeconds ?? (reason.kind === 'limit' ? 1 : 0);
}

/**
 * 502 when a file was wrong or could not be checked, else 503 when the platform refused a call or there was no memory, else 504 when an origin timed out or was not
 * asked in time, else 503 when every origin was overloaded, else 502. Never 404.
 */
function statusOf(reasons: readonly Failure['reason']['kind'][]): 502 | 503 | 504 {
  if (reasons.some((kind) => kind === 'mismatch' || kind === 'unchecked')) return 502;
  if (reasons.includes('limit') || reasons.includes('no memory')) return 503;
  if (reasons.some((kind) => kind === 'timeout' || kind === 'not asked' || kind === 'not now')) {
    return 504;
  }
  return reasons.every((kind) => kind === 'overloaded') ? 503 : 502;
}
