import type { Effort } from '../origins/race/answer.ts';
import type { StoredFile } from '../store/contract.ts';
import type { CacheClass } from './cache-policy.ts';

/** The answer to a request. HTTP, the log and everything else render this one value. */
export type Outcome = Found | Missing | Refused | Unavailable;

export interface Found {
  readonly kind: 'found';
  readonly file: SentFile;
  readonly contentType: string;
  readonly cache: CacheClass;
  readonly source: Source;
}

/**
 * A file on its way to the client. Its size is unknown only while an origin that declared none is
 * still sending it.
 */
export interface SentFile extends Omit<StoredFile, 'size'> {
  readonly size: number | undefined;
  /** The range that was asked for begins beyond the end of the file; the body is empty. */
  readonly isUnsatisfiable?: true;
}

/** There is no such file, as far as the origins say: the go command asks its next source. */
export interface Missing {
  readonly kind: 'missing';
  readonly status: 404 | 410;
  readonly text: string;
  readonly cache: 'negative' | 'failure';
  readonly source: Source;
}

/** The file may exist and is not given: the go command stops. */
export interface Refused {
  readonly kind: 'refused';
  readonly text: string;
  readonly source: Source;
}

/** No origin could answer: the go command stops, and takes no filtered route. */
export interface Unavailable {
  readonly kind: 'unavailable';
  readonly status: 502 | 503 | 504;
  readonly text: string;
  readonly retryAfterSeconds: number | undefined;
  readonly source: Source;
}

/**
 * What the request that fetches hands to those that wait: an outcome whose body is no stream, or
 * that the file is in the store now, or that it could not be stored and each of them has to fetch
 * by itself.
 */
export type SharedOutcome = Outcome | 'stored' | 'not stored';

/** Where an answer came from. */
export type Source = typeof LOCAL | StoreSource | OriginSource;

/** modferry's own answer, for which it looked at nothing. */
export const LOCAL = { from: 'local' } as const;

export interface StoreSource {
  readonly from: 'store';
  /** Label of the tier. */
  readonly tier: string;
  /** Name of the origin that a negative entry is from. */
  readonly origin?: string | undefined;
  /** An old copy, which is served because the origins failed. */
  readonly isStale?: boolean | undefined;
  /** The requests that failed before. */
  readonly effort?: Effort | undefined;
}

export interface OriginSource {
  readonly from: 'origin';
  /** Name of the origin that answered; absent where none did. */
  readonly origin?: string | undefined;
  readonly effort: Effort;
}

/** Why an outcome is no file; undefined when it is one. */
export function reasonOf(outcome: Outcome): string | undefined {
  return outcome.kind === 'found' ? undefined : outcome.text;
}
