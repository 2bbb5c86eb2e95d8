import type { Clock } from '../../effects/clock.ts';
import type { Result } from '../../effects/result.ts';
import type { FailureReason } from '../../origins/failure.ts';
import type { OriginBody } from '../../origins/request/body.ts';
import type { Upload } from '../../store/contract.ts';
import type { CheckedEnd } from './large-file.ts';

export interface RelayOptions {
  readonly clock: Clock;
  /** The capacity of the ring, in chunks. */
  readonly chunks: number;
  readonly body: OriginBody;
  /** The bytes that were already read from the body. */
  readonly first: Uint8Array<ArrayBuffer>;
  /** The upload to the store; undefined where the file is not stored. */
  readonly upload: Upload | undefined;
  /** The stream to the client. */
  readonly client: WritableStream<Uint8Array>;
  readonly file: RelayedFile;
}

/** The checks of a relayed file, and the callbacks about its progress. */
export interface RelayedFile {
  /** Whether a body of `size` bytes that ends with `tail` can be the file. */
  checkEnd(tail: Uint8Array, size: number): Result<CheckedEnd, FailureReason>;
  /**
   * Compares the committed copy with the expected hash, and removes a wrong one. Rejects when the
   * comparison is not possible. Undefined where nothing is compared.
   */
  readonly verify: CheckCommitted | undefined;
  /**
   * As `verify`, for a file that is compared with nothing and whose end does not show whether it
   * can be the file.
   */
  checkStored(committed: Committed): Promise<Result<void, FailureReason>>;
  /**
   * Reads the committed file from `offset` to its end at `size`; undefined when it is not stored
   * any more.
   */
  readStored(offset: number, size: number): Promise<ReadableStream<Uint8Array> | undefined>;
  /** Whether other requests wait for the stored file. */
  isWanted(): boolean;
  /** Called when the upload fails. The client is still served where nothing has to be compared. */
  onUploadFailed(error: unknown): void;
}

export type CheckCommitted = (committed: Committed) => Promise<Result<void, FailureReason>>;

/** A file whose upload was committed. */
export interface Committed {
  readonly size: number;
  /** False when another upload was committed first: the stored copy is then that one's. */
  readonly isOurs: boolean;
  /** SHA-256 of the bytes that the client receives; undefined where nothing is compared. */
  readonly digest: Uint8Array | undefined;
}

/** How a relay ends. */
export type RelayEnd =
  | { readonly state: 'stored'; readonly size: number }
  /** The body was complete, and this upload did not store it. */
  | { readonly state: 'passed'; readonly size: number }
  /** The body proved not to be the file. */
  | { readonly state: 'refused'; readonly reason: FailureReason }
  /** The body broke off, or it could be neither stored nor sent. */
  | { readonly state: 'broken'; readonly error: unknown };
