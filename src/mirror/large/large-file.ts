import type { ByteSource } from '../../bytes/byte-source.ts';
import type { Result } from '../../effects/result.ts';
import type { FailureReason } from '../../origins/failure.ts';
import type { Checked } from '../../store/contract.ts';
import type { StoreKey } from '../../store/key.ts';
import type { AskedFile } from '../ask-for-file.ts';
import type { Comparable, Expectation } from '../expectation.ts';

/**
 * A file that may be too large for memory. It is streamed, and its stored copy is checked. A module
 * zip is one kind.
 */
export interface LargeFile extends AskedFile {
  /** Key of the hash file, which records that the stored copy was checked. */
  readonly hashKey: StoreKey;
  /** Path below an origin's base URL, percent-encoded, with its leading slash. */
  readonly path: string;
  readonly contentType: string;
  /** Looks up the expected hash; absent where nothing is compared. Never rejects. */
  readonly expect?: (() => Promise<Expectation>) | undefined;
  /**
   * Whether a body that begins with `first` can be such a file. `declared` is its length in bytes,
   * where the origin declared one.
   */
  inspect(first: Uint8Array, declared: number | undefined): Result<void, FailureReason>;
  /** Whether a body of `size` bytes that ends with `tail` can be this file. */
  checkEnd(tail: Uint8Array, size: number): Result<CheckedEnd, FailureReason>;
  /**
   * Checks what `checkEnd` does, in as much of the whole file as that needs. Rejects when the source
   * cannot be read.
   */
  checkStored(source: ByteSource): Promise<Result<void, FailureReason>>;
  /**
   * Compares a whole file with its expected hash. Rejects when the source cannot be read; that says
   * nothing about the file.
   */
  verify(source: ByteSource, expected: Comparable): Promise<Result<Checked, FailureReason>>;
}

/** Whether the end of a file was enough to check it, or more of the file is needed. */
export type CheckedEnd = 'complete' | 'needs more';
