import type { Failure } from '../../origins/failure.ts';
import type { Effort, Missing } from '../../origins/race/answer.ts';
import type { Checked } from '../../store/contract.ts';
import type { StoreKey } from '../../store/key.ts';
import type { CacheClass } from '../cache-policy.ts';
import type { Verdict } from '../expectation.ts';
import type { Source } from '../outcome.ts';

/**
 * A file that is held whole in memory: what it is, how it is got, and how a copy of it is checked.
 */
export interface SmallFile {
  /** What messages call it, such as `example.com/hello@v1.1.0.mod`. */
  readonly subject: string;
  readonly key: StoreKey;
  readonly contentType: string;
  /**
   * A `mutable` file is fetched anew after a minute, and its last good copy is kept for outages.
   */
  readonly cache: Extract<CacheClass, 'immutable' | 'canonicalInfo' | 'mutable'>;
  /** Whether the world tier holds files of this kind. */
  readonly inWorldTier: boolean;
  /** Gets the file from where it comes from, and checks it. Never rejects. */
  fetch(): Promise<Fetched>;
  /** Checks a stored copy that was never checked. Absent where a stored copy needs no check. */
  verify?(bytes: Uint8Array): Promise<Verdict>;
  /** Makes the file of other stored ones, where that is possible. */
  derive?(): Promise<DerivedFile | undefined>;
  /**
   * Makes the file of what is stored, for a time in which it cannot be had and there is no last
   * good copy.
   */
  composeOffline?(): Promise<Uint8Array | undefined>;
}

export interface DerivedFile {
  readonly bytes: Uint8Array;
  /** Label of the tier that had the file which it is made of. */
  readonly tier: string;
}

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
   * Default: every tier. `near`: something else keeps it for good. `nowhere`: it could not be
   * checked as it should be.
   */
  readonly keep?: 'near' | 'nowhere' | undefined;
  readonly source: Source;
}
