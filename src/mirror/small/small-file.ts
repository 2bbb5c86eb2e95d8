import type { Failure } from '../../origins/failure.ts';
import type { Effort, Missing } from '../../origins/race/answer.ts';
import type { Checked } from '../../store/contract.ts';
import type { StoreKey } from '../../store/key.ts';
import type { CacheClass } from '../cache-policy.ts';
import type { Verdict } from '../expectation.ts';
import type { Source } from '../outcome.ts';

/** A file that is held whole in memory: how it is fetched, checked and kept. */
export interface SmallFile {
  /** The name of the file in messages and events, such as `example.com/hello@v1.1.0.mod`. */
  readonly subject: string;
  readonly key: StoreKey;
  readonly contentType: string;
  /**
   * A `mutable` file is fetched again after a minute, and its last good copy is kept for outages.
   */
  readonly cache: Extract<CacheClass, 'immutable' | 'proven' | 'canonicalInfo' | 'mutable'>;
  /** Whether the world tier holds files of this kind. */
  readonly inWorldTier: boolean;
  /** Fetches the file and checks it. Never rejects. */
  fetch(): Promise<Fetched>;
  /** Checks a stored copy that was never checked. Absent where stored copies need no check. */
  verify?(bytes: Uint8Array): Promise<Verdict>;
  /** Derives the file from other stored files; undefined when they are not stored. */
  derive?(): Promise<DerivedFile | undefined>;
  /**
   * Composes the file from stored ones, for an outage without a last good copy; undefined when
   * nothing is stored.
   */
  composeOffline?(): Promise<Uint8Array | undefined>;
}

/** A file that was derived from another stored one. */
export interface DerivedFile {
  readonly bytes: Uint8Array;
  /** The label of the tier that the source file was read from. */
  readonly tier: string;
}

/** The result of a fetch. */
export type Fetched =
  | FetchedFile
  | {
      readonly kind: 'missing';
      readonly missing: Missing;
      readonly isUnanimous: boolean;
      readonly effort: Effort;
    }
  | { readonly kind: 'failed'; readonly failures: readonly Failure[]; readonly effort: Effort };

export interface FetchedFile {
  readonly kind: 'found';
  readonly bytes: Uint8Array;
  readonly checked?: Checked | undefined;
  /**
   * Where the file is stored. Default: in every tier. `near`: in the near tier only, because
   * another part stores it durably.
   */
  readonly keep?: 'near' | undefined;
  readonly source: Source;
}
