/**
 * The texts of answers that are no file. Who reads them is a Go developer: the go command prints
 * the body of an error answer if it is plain text without control characters, at most 8 lines and
 * 648 bytes (cmd/go/internal/web/api.go). The request id is added where the response is made.
 */
import type { Answer } from '../origins/race/ask.ts';
import type { Failure } from '../origins/origin.ts';
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

/** An origin's own "not found", with its text. */
export function missing(
  subject: string,
  answer: Pick<Extract<Answer<never>, { kind: 'missing' }>, 'missing' | 'unanimous'>,
  source: Source,
): Missing {
  const { status, text, origin } = answer.missing;
  const said = text.replace(/^not found:\s*/i, '') || `status ${status}`;
  return {
    kind: 'missing',
    status,
    text: `not found: ${subject}: ${origin} says: ${said}`,
    // Another origin may know better, once it can be asked.
    cache: answer.unanimous ? 'negative' : 'failure',
    source,
  };
}

/**
 * No origin is there for this module: that is no outage, and the client may have another source.
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

/** Every origin failed, and nothing is stored. */
export function unavailable(
  subject: string,
  failures: readonly Failure[],
  source: Source,
): Unavailable | Missing {
  if (failures.length === 0) return notServed(subject);
  const causes = failures.map(({ origin, text }) => `${origin}: ${text}`).join('; ');
  const retryAfter = failures
    .map((failure) => failure.retryAfter ?? 0)
    .reduce((a, b) => Math.max(a, b), 0);
  return {
    kind: 'unavailable',
    status: statusOf(failures),
    text: `cannot get ${subject}: ${causes}`,
    ...(retryAfter > 0 ? { retryAfter } : {}),
    source,
  };
}

/**
 * 502 when there was a file and it was wrong or could not be checked, 504 when waiting was in vain,
 * 503 when every origin asked to be left alone, else 502. Never 404.
 */
function statusOf(failures: readonly Failure[]): 502 | 503 | 504 {
  if (failures.some(({ cause }) => cause === 'mismatch' || cause === 'unchecked')) return 502;
  if (failures.some(({ cause }) => cause === 'timeout')) return 504;
  if (failures.every(({ cause }) => cause === 'overloaded')) return 503;
  return 502;
}
