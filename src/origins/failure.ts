import { TimeoutError } from '../effects/clock.ts';
import { LimitError } from '../effects/connections.ts';

/**
 * Why a request to an origin failed.
 *
 * The reason is typed, and both texts are made from it: `failureText` for the log and for the
 * developer who made the request, and `publicFailureText` for `/-/api/origins`, which whoever
 * has a token may read. What an origin or a client wrote can only reach the first one.
 */

/** One request to one origin that failed. */
export interface Failure {
  /** Name of the origin. */
  readonly origin: string;
  readonly reason: FailureReason;
  /** From a Retry-After header. */
  readonly retryAfterSeconds?: number | undefined;
}

export type FailureReason =
  /** The connection could not be made, or broke; `how` where the platform tells. */
  | { readonly kind: 'unreachable'; readonly how?: BrokenConnection | undefined }
  | { readonly kind: 'timeout'; readonly ms: number }
  /** The origin was next, and a request would have been of no use. */
  | { readonly kind: 'not asked'; readonly because: NotAsked }
  /** The platform allows this request no more calls. */
  | { readonly kind: 'limit' }
  /** `words` is what the origin wrote; empty where that was no plain text. */
  | { readonly kind: 'status'; readonly status: number; readonly words?: string | undefined }
  /** 429 or 503: the origin wants fewer requests. */
  | { readonly kind: 'overloaded'; readonly status: number; readonly words?: string | undefined }
  /** The origin works, and could not fetch the file itself just now: `text` is its own. */
  | { readonly kind: 'not now'; readonly text: string }
  /** Its "no such file" is none: it says so of the file too that it is known to have. */
  | { readonly kind: 'no access'; readonly status: number }
  | { readonly kind: 'redirect'; readonly problem: string & PublicText }
  | { readonly kind: 'wrong length'; readonly received: number; readonly declared: number }
  | { readonly kind: 'too long'; readonly limitBytes: number }
  /** The body cannot be what was asked for. */
  | { readonly kind: 'wrong content'; readonly summary: string & PublicText; readonly text: string }
  /** The body is a file, and another one than the checksum database has the hash of. */
  | { readonly kind: 'mismatch'; readonly hashes: Hashes }
  /** There is a file, and no checksum database could be asked for its hash. */
  | { readonly kind: 'unchecked'; readonly text: string }
  /** modferry's own store failed. */
  | { readonly kind: 'store' }
  /** modferry has no memory for the file at the moment. */
  | { readonly kind: 'no memory' };

export type BrokenConnection =
  | 'refused'
  | 'refused or reset'
  | 'timed out'
  | 'its name does not resolve'
  | 'its name does not resolve, or TLS failed'
  | 'TLS failed';

export type NotAsked =
  | 'the client left'
  | 'the time was up'
  | 'it failed a moment ago'
  | 'it does not carry the database'
  | 'its address is that of this modferry';

/** Two hashes that should be equal. */
export interface Hashes {
  /** The database with the expected one. */
  readonly database: string;
  readonly expected: string;
  /** Where the file has no hash: what is wrong with the file. */
  readonly found: string;
}

declare const publicText: unique symbol;

/** A text that is written out in the code, so that it quotes neither request nor answer. */
interface PublicText {
  readonly [publicText]: true;
}

/** Accepts a literal and nothing else: the compiler refuses `string` itself. */
type Literal<T extends string> = string extends T ? never : T;

/** The answer cannot be the file. `text` may quote the answer; it defaults to the summary. */
export function wrongContent<T extends string>(
  summary: Literal<T>,
  text: string = summary,
): FailureReason {
  return { kind: 'wrong content', summary: publicly(summary), text };
}

export function badRedirect<T extends string>(problem: Literal<T>): FailureReason {
  return { kind: 'redirect', problem: publicly(problem) };
}

function publicly(text: string): string & PublicText {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only literals get the brand
  return text as string & PublicText;
}

/**
 * Thrown by what reads from an origin: a redirect that is not followed, a body that is too long or
 * too short.
 */
export class OriginError extends Error {
  override readonly name = 'OriginError';
  readonly reason: FailureReason;

  constructor(reason: FailureReason) {
    super(failureText(reason));
    this.reason = reason;
  }
}

/** The reason for whatever was thrown while an origin was asked. */
export function failureReasonOf(error: unknown): FailureReason {
  if (error instanceof OriginError) return error.reason;
  if (error instanceof TimeoutError) return { kind: 'timeout', ms: error.ms };
  if (error instanceof LimitError) return { kind: 'limit' };
  return { kind: 'unreachable', how: brokenConnectionOf(error) };
}

/**
 * What the messages of workerd tell apart. Cloudflare answers with a status instead, see
 * `brokenConnectionByCode`.
 */
function brokenConnectionOf(error: unknown): BrokenConnection | undefined {
  const message = error instanceof Error ? error.message : '';
  if (message.startsWith('Network connection lost')) return 'refused or reset';
  if (message.startsWith('internal error')) return 'its name does not resolve, or TLS failed';
  return undefined;
}

/**
 * What Cloudflare's own answer to a `fetch` means when it reached no server: "error code: 521" with
 * that status, or 530 with one of the codes 1xxx
 * (https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors).
 */
export function brokenConnectionByCode(text: string): BrokenConnection | undefined {
  const code = /^error code: (\d{3,4})$/.exec(text.trim())?.[1];
  return code === undefined ? undefined : BROKEN_BY_CODE.get(code);
}

const BROKEN_BY_CODE: ReadonlyMap<string, BrokenConnection> = new Map([
  ['521', 'refused'],
  ['522', 'timed out'],
  ['523', 'timed out'],
  ['525', 'TLS failed'],
  ['526', 'TLS failed'],
  ['1016', 'its name does not resolve'],
]);

/**
 * Whether a failure may concern the one file that was asked for: then it says nothing of others. A
 * Retry-After concerns all.
 */
export function mayConcernOneFile({ reason, retryAfterSeconds }: Failure): boolean {
  return reason.kind !== 'unreachable' && reason.kind !== 'timeout' && !retryAfterSeconds;
}

const BLAMELESS: ReadonlySet<FailureReason['kind']> = new Set([
  'limit',
  'no memory',
  'not asked',
  'store',
  'unchecked',
]);

/** Whether a failure shows nothing of its origin: modferry or another server was the cause. */
export function isBlameless({ kind }: FailureReason): boolean {
  return BLAMELESS.has(kind);
}

/** One line of plain text for the log and for the developer who made the request. */
export function failureText(reason: FailureReason): string {
  switch (reason.kind) {
    case 'status':
    case 'overloaded':
      return reason.words ? `${fixedText(reason)}: ${reason.words}` : fixedText(reason);
    case 'not now':
    case 'unchecked':
    case 'wrong content':
      return reason.text;
    case 'mismatch':
      return mismatchText(reason.hashes);
    default:
      return fixedText(reason);
  }
}

/** One line of plain text for everybody: it quotes neither the request nor the answer. */
export function publicFailureText(reason: FailureReason): string {
  switch (reason.kind) {
    case 'not now':
    case 'unchecked':
    case 'mismatch':
      return 'a wrong answer: the log says which';
    case 'wrong content':
      return reason.summary;
    default:
      return fixedText(reason);
  }
}

type FixedReason = Exclude<
  FailureReason,
  { readonly kind: 'not now' | 'unchecked' | 'wrong content' | 'mismatch' }
>;

function fixedText(reason: FixedReason): string {
  switch (reason.kind) {
    case 'unreachable':
      return reason.how ? `connection failed: ${reason.how}` : 'connection failed';
    case 'timeout':
      return `no answer within ${Math.round(reason.ms / 100) / 10} s`;
    case 'not asked':
      return notAskedText(reason.because);
    case 'limit':
      return 'not asked, this request has made all calls that the platform allows';
    case 'status':
    case 'overloaded':
      return `status ${reason.status}`;
    case 'no access':
      return `status ${reason.status}, and so for its probe file: it may refuse the credentials that modferry has for it`;
    case 'redirect':
      return reason.problem;
    case 'wrong length':
      return `body of ${reason.received} bytes where ${reason.declared} were declared`;
    case 'too long':
      return `body of more than ${reason.limitBytes} bytes`;
    case 'store':
      return 'its store failed, and a zip of this size is checked there';
    case 'no memory':
      return 'modferry has no memory for a file of this size just now';
  }
}

function notAskedText(because: NotAsked): string {
  return because === 'it failed a moment ago'
    ? 'not asked, as it failed a moment ago'
    : `not asked, ${because}`;
}

function mismatchText({ database, expected, found }: Hashes): string {
  return found.startsWith('h1:')
    ? `hash ${found} where ${database} has ${expected}`
    : `${found} (${database} has ${expected})`;
}
