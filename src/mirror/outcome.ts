import type { Effort } from '../origins/race/ask.ts';
import type { StoredFile } from '../store/contract.ts';
import type { CacheClass } from './cache-policy.ts';

/** What became of a request. HTTP, the log and everything else render this one value. */
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
export type SentFile = Omit<StoredFile, 'size'> & { readonly size: number | undefined };

/** It does not exist, as far as anybody knows: the go command goes on to its next source. */
export interface Missing {
  readonly kind: 'missing';
  readonly status: 404 | 410;
  readonly text: string;
  readonly cache: 'negative' | 'failure';
  readonly source: Source;
}

/** It may exist and is not given: the go command stops. */
export interface Refused {
  readonly kind: 'refused';
  readonly text: string;
  readonly source: Source;
}

/** Nobody could be asked: the go command stops, and does not take a filtered route. */
export interface Unavailable {
  readonly kind: 'unavailable';
  readonly status: 502 | 503 | 504;
  readonly text: string;
  /** Seconds. */
  readonly retryAfter?: number;
  readonly source: Source;
}

/** Where an answer came from, and what it took; the effort is absent where no origin was asked. */
export interface Source extends Partial<Effort> {
  /** `local` is modferry's own word, without a look at anything. */
  readonly tier: 'edge' | 'kv' | 'r2' | 'origin' | 'local';
  /** Name of the origin that answered, now or when a negative entry was made. */
  readonly origin?: string;
  /** A last good copy, because every origin failed. */
  readonly stale?: true;
}

export const LOCAL: Source = { tier: 'local' };
