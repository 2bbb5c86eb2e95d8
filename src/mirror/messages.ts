/**
 * The texts of answers that are no file. They are read by Go developers: the go command prints the
 * body of an error answer if it is plain text without control characters, at most 8 lines and 648
 * bytes (cmd/go/internal/web/api.go). The request id is added where the response is made.
 */
import { type Failure, failureText } from '../origins/failure.ts';
import type { Missing as MissingAnswer } from '../origins/race/answer.ts';
import { LOCAL, type Missing, type Source, type Unavailable } from './outcome.ts';

/** Answer to a path that no module proxy has. */
export function malformed(reason: string): Missing {
  return {
    kind: 'missing',
    status: 404,
    text: `not found: ${reason}`,
    cache: 'negative',
    source: LOCAL,
  };
}

/** Answer where fetching was not allowed; proxy.golang.org has the same words for it. */
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
 * An origin's own "not found", with its text. Unless every origin that could have the file was
 * asked, another one may have it: then the answer is not kept.
 */
export function missing(
  subject: string,
  { status, text, origin }: MissingAnswer,
  { isUnanimous, source }: { readonly isUnanimous: boolean; readonly source: Source },
): Missing {
  const said = text.replace(/^not found:\s*/i, '') || `status ${status}`;
  return {
    kind: 'missing',
    status,
    text: `not found: ${subject}: ${origin} says: ${said}`,
    cache: isUnanimous ? 'negative' : 'failure',
    source,
  };
}

/** No origin serves this module: that is no outage, and the client may have another source. */
function notServed(subject: string): Missing {
  return {
    kind: 'missing',
    status: 404,
    text: `not found: ${subject}: no origin of this proxy serves it`,
    cache: 'failure',
    source: LOCAL,
  };
}

/** Every origin failed, and nothing is stored. */
export function unavailable(
  subject: string,
  failures: readonly Failure[],
  source: Source,
): Unavailable | Missing {
  if (failures.length === 0) return notServed(subject);
  const causes = failures.map(({ origin, reason }) => `${origin}: ${failureText(reason)}`);
  const retryAfter = Math.max(...failures.map((failure) => failure.retryAfterSeconds ?? 0));
  return {
    kind: 'unavailable',
    status: statusOf(failures.map(({ reason }) => reason.kind)),
    text: `cannot get ${subject}: ${causes.join('; ')}`,
    retryAfterSeconds: retryAfter > 0 ? retryAfter : undefined,
    source,
  };
}

/**
 * 502 when there was a file that was wrong or could not be checked, 504 when waiting brought
 * nothing, 503 when every origin asked for fewer requests, else 502. Never 404.
 */
function statusOf(reasons: readonly Failure['reason']['kind'][]): 502 | 503 | 504 {
  if (reasons.some((kind) => kind === 'mismatch' || kind === 'unchecked')) return 502;
  if (reasons.some((kind) => kind === 'timeout' || kind === 'not asked' || kind === 'not now')) {
    return 504;
  }
  return reasons.every((kind) => kind === 'overloaded') ? 503 : 502;
}
