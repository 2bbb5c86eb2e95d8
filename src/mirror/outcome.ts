import type { Effort } from '../origins/race/answer.ts';
import type { StoredFile } from '../store/contract.ts';
import type { CacheClass } from './cache-policy.ts';

/** The answer to a request, independent of HTTP. Responses and log lines are rendered from it. */
export type Outcome = Found | Missing | Refused | Unavailable;

export interface Found {
  readonly kind: 'found';
  readonly file: SentFile;
  readonly contentType: string;
  readonly cache: CacheClass;
  readonly source: Source;
}

/**
 * A file that is sent to the client. Its size is undefined only while it is streamed from an origin
 * that declared none.
 */
export interface SentFile extends Omit<StoredFile, 'size'> {
  readonly size: number | undefined;
  /** The requested range begins beyond the end of the file; the body is empty. */
  readonly isUnsatisfiable?: true;
}

/** No such file, according to the origins. The go command asks its next source. */
export interface Missing {
  readonly kind: 'missing';
  readonly status: 404 | 410;
  readonly text: string;
  readonly cache: 'negative' | 'failure';
  readonly source: Source;
}

/**
 * The file is not served, whether it exists or not: by modferry, or by the origins. The go command
 * stops.
 */
export interface Refused {
  readonly kind: 'refused';
  readonly text: string;
  readonly source: Source;
}

/** No origin gave a usable answer. The go command stops and does not ask its next source. */
export interface Unavailable {
  readonly kind: 'unavailable';
  readonly status: 429 | 502 | 503 | 504;
  readonly text: string;
  readonly retryAfterSeconds: number | undefined;
  readonly source: Source;
}

/**
 * What a single-flight shares with the waiting requests: an outcome whose body is not a stream, or
 * what became of a stream.
 */
export type SharedOutcome = Outcome | Kept;

/**
 * What became of a stream that other requests wait for: they can read the file from the store; the
 * file could be had and is not stored; or the file broke off or proved wrong.
 */
export type Kept = 'stored' | 'not stored' | 'broken';

/** Where an answer came from. */
export type Source = typeof LOCAL | StoreSource | OriginSource;

/** modferry's own answer, without the store or an origin. */
export const LOCAL = { from: 'local' } as const;

export interface StoreSource {
  readonly from: 'store';
  /** The label of the tier. */
  readonly tier: string;
  /** The name of the origin that a negative entry came from. */
  readonly origin?: string | undefined;
  /** Whether this is an old copy, served because the origins failed. */
  readonly isStale?: boolean | undefined;
  /** The effort of the failed attempt to fetch the file, where there was one. */
  readonly effort?: Effort | undefined;
}

export interface OriginSource {
  readonly from: 'origin';
  /** The name of the origin that answered; absent where none did. */
  readonly origin?: string | undefined;
  readonly effort: Effort;
}

/** Why the outcome has no file; undefined when it has one. */
export function reasonOf(outcome: Outcome): string | undefined {
  return outcome.kind === 'found' ? undefined : outcome.text;
}
