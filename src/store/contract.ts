/** What every store keeps to; test/contracts runs the same suite on each of them. */
import type { StoreKey } from './key.ts';

/** Bytes `offset` to `offset + length - 1` of a file. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * What a checksum database said of the bytes: their `h1:` hash, which is the one in its log, or
 * that it has no record of the version; of its own files, that its log proves them.
 */
export type Checked = `h1:${string}` | 'uncovered' | 'proven';

export interface StoredFile {
  /** The bytes: whole, or a stream that the caller reads to its end or cancels. */
  readonly body: Uint8Array | ReadableStream<Uint8Array>;
  /** Length of the whole file in bytes, also where `range` says that the body is a part of it. */
  readonly size: number;
  /** Strong validator of these very bytes, quotes included (RFC 9110 8.8.3). */
  readonly etag: string;
  /** Absent while nobody asked. */
  readonly checked?: Checked;
  readonly range?: ByteRange;
}

export interface FileToStore {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly checked?: Checked;
}

/** `create` never replaces a file that is there: the rule for everything immutable. */
export type WriteMode = 'create' | 'replace';

/**
 * Edge cache and KV: fast, and allowed to forget. A read that fails is a miss to the caller, a
 * write that fails costs nothing but time later.
 */
export interface CacheStore {
  /** The file, or undefined. */
  read(key: StoreKey): Promise<StoredFile | undefined>;
  /** Keeps a file, for at most `seconds` where that is given. */
  write(key: StoreKey, file: FileToStore, seconds?: number): Promise<void>;
  /** Forgets the file. In other data centres it may be seen a while longer. */
  remove(key: StoreKey): Promise<void>;
}

/** The edge cache also holds what an origin said no to, and files too large to hold in memory. */
export interface EdgeStore extends CacheStore {
  /** Streams a file of known size in, for at most `seconds` where that is given. */
  writeStream(key: StoreKey, file: StoredFile, seconds?: number): Promise<void>;
  /** The text of a 404 or 410 that is still to be believed, or undefined. */
  readMissing(key: StoreKey): Promise<Missing | undefined>;
  writeMissing(key: StoreKey, missing: Missing, seconds: number): Promise<void>;
}

/** An origin's own "not found". */
export interface Missing {
  readonly status: 404 | 410;
  readonly text: string;
  /** The origin that said so. */
  readonly origin: string;
}

/** A file on its way in: nothing of it can be read before `commit` has resolved. */
export interface Upload {
  /** Takes a chunk; the caller may reuse the chunk's memory once this has resolved. */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Publishes the file: true when it is there now, false when another one was there first and
   * stays. Rejects, and leaves nothing, when bytes are missing.
   */
  commit(): Promise<boolean>;
  /** Throws the file away. Never rejects. */
  abort(reason: unknown): Promise<void>;
}

/** R2: the truth. */
export interface DurableStore {
  /**
   * The file or the asked part of it; a range that starts beyond the end is undefined behaviour:
   * check `size` first.
   */
  read(key: StoreKey, range?: ByteRange): Promise<StoredFile | undefined>;
  /** Size in bytes and etag, without the bytes. */
  head(key: StoreKey): Promise<Omit<StoredFile, 'body' | 'range'> | undefined>;
  write(key: StoreKey, file: FileToStore, mode: WriteMode): Promise<void>;
  /** Starts a streamed write; `size` in bytes where it is known. */
  upload(
    key: StoreKey,
    file: { readonly etag: string; readonly size: number | undefined },
  ): Promise<Upload>;
  /**
   * Replaces the file that `known` was read from (undefined: there was none) if it is still that
   * one. False when it is not, and then nothing is written.
   */
  swap(key: StoreKey, known: string | undefined, file: FileToStore): Promise<boolean>;
  /** The whole file, with what `swap` knows it by. */
  readForSwap(
    key: StoreKey,
  ): Promise<{ readonly bytes: Uint8Array; readonly known: string } | undefined>;
  /** Removes files; those that are not there are none the less gone. */
  remove(keys: readonly StoreKey[]): Promise<void>;
  /** Every key that begins with `prefix`, in no particular order, however many there are. */
  keys(prefix: string): AsyncIterable<string>;
}
