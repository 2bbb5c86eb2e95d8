import type { Result } from '../../effects/result.ts';
import type { FailureReason } from '../../origins/failure.ts';
import type { Checked } from '../../store/contract.ts';
import type { StoreKey } from '../../store/key.ts';
import type { AskedFile } from '../ask-for-file.ts';
import type { Comparable, Expectation } from '../expectation.ts';

/**
 * A file that may be too large for memory: it is streamed, and checked in the store. A module zip
 * is one kind.
 */
export interface LargeFile extends AskedFile {
  /** Key of the hash file, which says that a stored copy was checked. */
  readonly hashKey: StoreKey;
  /** Path below an origin's base URL, percent-encoded, with its leading slash. */
  readonly path: string;
  readonly contentType: string;
  /** Learns what its hash must be; absent where nothing is compared. Never rejects. */
  readonly expect?: (() => Promise<Expectation>) | undefined;
  /**
   * Whether a body of this length, where it is declared, that begins with these bytes can be such a
   * file.
   */
  inspect(first: Uint8Array, declared: number | undefined): Result<void, FailureReason>;
  /** Whether a body of `size` bytes that ends with these can be this file. */
  checkEnd(tail: Uint8Array, size: number): Result<void, FailureReason>;
  /**
   * Compares a whole file with what is expected of it. `onProgress` is called while it is read.
   * Rejects when the source cannot be read, which says nothing of the file.
   */
  verify(
    source: FileSource,
    expected: Comparable,
    onProgress: () => void,
  ): Promise<Result<Checked, FailureReason>>;
}

/** A file that is read at any place: in memory, or in a store. */
export interface FileSource {
  /** In bytes. */
  readonly size: number;
  /** Exactly the bytes `offset` to `offset + length - 1`; rejects when it cannot read them. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** As `read`, into `memory`, which is transferred: use `.buffer` of the result from then on. */
  readInto?(offset: number, length: number, memory: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>>;
}
