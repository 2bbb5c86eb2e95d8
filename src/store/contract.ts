/** The contract of every store; test/contracts runs the same suite on each of them. */
import type { H1 } from '../bytes/h1.ts';
import type { Held } from '../effects/held.ts';
import type { Body } from '../bytes/streams.ts';
import type { StoreKey } from './key.ts';

/** Bytes `offset` to `offset + length - 1` of a file. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * The result of a check against a checksum database: the `h1:` hash, where it equals the one in the
 * log; `uncovered`, where the log has no record of the version; or `proven`, for a file of the
 * database itself that its log proves.
 */
export type Checked = H1 | 'uncovered' | 'proven';

/** Parses the check that a store keeps beside a file; undefined for any other text. */
export function parseChecked(text: string | undefined): Checked | undefined {
  if (text === 'uncovered' || text === 'proven') return text;
  return text !== undefined && startsAsH1(text) ? text : undefined;
}

function startsAsH1(text: string): text is H1 {
  return text.startsWith('h1:');
}

/** The metadata of a file. */
export interface FileFacts {
  /** Length of the whole file in bytes, even where only a range is read. */
  readonly size: number;
  /** Strong validator of these very bytes, quotes included (RFC 9110 8.8.3). */
  readonly etag: string;
  /** Absent where the file was never checked. */
  readonly checked?: Checked | undefined;
  /** When a durable tier stored it, in milliseconds since the epoch. Fast tiers do not say. */
  readonly storedAt?: number | undefined;
}

export interface StoredFile extends FileFacts {
  /** The bytes: whole, or a stream that the caller reads to its end or cancels. */
  readonly body: Body;
  /** The range that the body holds; absent for the whole file. */
  readonly range?: ByteRange | undefined;
  /** The memory of a body of bytes, where it was reserved. */
  readonly held?: Held | undefined;
}

export interface FileToStore extends Omit<FileFacts, 'size' | 'storedAt'> {
  readonly bytes: Uint8Array;
}

/** `create` never replaces an existing file: immutable files are written with it. */
export type WriteMode = 'create' | 'replace';

/**
 * A fast tier that may evict files at any time: near (one data centre) or world. A failed read
 * counts as a miss, and a failed write only costs a later miss.
 */
interface CacheStore {
  /** Name of the tier in headers and logs, such as `kv`. */
  readonly label: string;
  /** Keeps a file. */
  write(key: StoreKey, file: FileToStore, life: CopyLife): Promise<void>;
  /** Removes the entry. Other data centres may still read their copy for some time. */
  remove(key: StoreKey): Promise<void>;
}

/** How long a copy counts. */
export interface CopyLife {
  /**
   * When the file was last known to be right, in milliseconds since the epoch. A later mark makes
   * the copy worthless (marks.ts).
   */
  readonly asOf: number;
  /** How long the copy is kept at most. */
  readonly seconds: number;
}

/** The world tier: small immutable files. */
export interface WorldStore extends CacheStore {
  /** The file, or undefined when the tier does not have it. */
  read(key: StoreKey): Promise<FileCopy | undefined>;
}

/** The near tier also holds negative entries. A key has a file or a negative entry. */
export interface NearStore extends CacheStore {
  /** The entry, or undefined when there is none or it has expired. */
  read(key: StoreKey): Promise<FileCopy | NegativeCopy | undefined>;
  /** Keeps a negative entry. */
  writeMissing(key: StoreKey, missing: NegativeEntry, life: CopyLife): Promise<void>;
}

export interface FileCopy extends Pick<CopyLife, 'asOf'> {
  readonly kind: 'file';
  readonly file: StoredFile;
}

export interface NegativeCopy extends Pick<CopyLife, 'asOf'> {
  readonly kind: 'missing';
  readonly missing: NegativeEntry;
}

/** A stored "not found" or "forbidden" of an origin. */
export interface NegativeEntry {
  readonly status: 403 | 404 | 410;
  readonly text: string;
  /** Name of the origin that gave it. */
  readonly origin: string;
}

/**
 * A larger file is held in memory only where that is reserved, and else streamed. Lists, infos and
 * go.mod files are far smaller.
 */
export const MAX_UNHELD_BYTES = 256 * 1024;

/** The most that an upload of undeclared length holds in memory. */
export const UPLOAD_PART_BYTES = 5 * 1024 * 1024;

/** A streamed write. Readers see nothing of the file before `commit` resolves. */
export interface Upload {
  /** Writes a chunk. The caller may reuse the chunk's memory once this has resolved. */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Publishes the file. False when another file already exists under the key; that file stays.
   * Rejects and stores nothing when bytes are missing.
   */
  commit(): Promise<boolean>;
  /** Discards the upload. Never rejects. */
  abort(reason: unknown): Promise<void>;
}

/** A key in a durable store, and the size in bytes of its file. */
export interface ListedFile {
  readonly key: string;
  readonly size: number;
}

/** The durable tier, which is authoritative. */
export interface DurableStore {
  /** Name of the tier in headers and logs, such as `r2`. */
  readonly label: string;
  /**
   * The file or a range of it, or undefined when it does not exist. The result for a range that
   * begins beyond the end is undefined: the caller checks `size` first.
   */
  read(key: StoreKey, range?: ByteRange): Promise<StoredFile | undefined>;
  /** The metadata of the file, or undefined when it does not exist. */
  head(key: StoreKey): Promise<FileFacts | undefined>;
  /** Writes a file. False when `create` found an existing file, which stays. */
  write(key: StoreKey, file: FileToStore, mode: WriteMode): Promise<boolean>;
  /** Starts a streamed write of a file that does not exist yet. */
  upload(key: StoreKey, file: NewFile): Promise<Upload>;
  /**
   * Compare and swap: writes `file` if the stored version is still `known`, or if there is still no
   * file where `known` is undefined. False when another version is stored; nothing is written then.
   */
  swap(key: StoreKey, known: string | undefined, file: FileToStore): Promise<boolean>;
  /** The whole file with its version for `swap`, or undefined when it does not exist. */
  readForSwap(key: StoreKey): Promise<SwappableFile | undefined>;
  /** Removes files. Keys without a file are ignored. */
  remove(keys: readonly StoreKey[]): Promise<void>;
  /**
   * Every file whose key begins with `prefix` and comes after the key `after`, without a limit, in
   * the order of the keys' UTF-8 bytes.
   */
  list(prefix: string, after?: string): AsyncIterable<ListedFile>;
}

/** The metadata of an upload. `size` in bytes, undefined where it is not known yet. */
export interface NewFile {
  readonly etag: string;
  readonly size: number | undefined;
}

/** A file that is replaced by compare and swap. */
export interface SwappableFile {
  readonly bytes: Uint8Array;
  /** Its version, for `swap`. */
  readonly known: string;
}
