/** The contract of every store; test/contracts runs the same suite on each of them. */
import type { H1 } from '../bytes/h1.ts';
import type { Body } from '../bytes/streams.ts';
import type { StoreKey } from './key.ts';

/** Bytes `offset` to `offset + length - 1` of a file. */
export interface ByteRange {
  readonly offset: number;
  readonly length: number;
}

/**
 * What a checksum database has of the bytes: their `h1:` hash, which is the one in its log, or no
 * record of the version (`uncovered`). Its own files are `proven` when its log holds them.
 */
export type Checked = H1 | 'uncovered' | 'proven';

/** Reads what a store wrote beside a file; undefined for what no store of ours writes. */
export function parseChecked(text: string | undefined): Checked | undefined {
  if (text === 'uncovered' || text === 'proven') return text;
  return text !== undefined && startsAsH1(text) ? text : undefined;
}

function startsAsH1(text: string): text is H1 {
  return text.startsWith('h1:');
}

/** What is known of a file without its bytes. */
export interface FileFacts {
  /** Length of the whole file in bytes, also where a part of it is read. */
  readonly size: number;
  /** Strong validator of these very bytes, quotes included (RFC 9110 8.8.3). */
  readonly etag: string;
  /** Absent while no database was asked. */
  readonly checked?: Checked | undefined;
}

export interface StoredFile extends FileFacts {
  /** The bytes: whole, or a stream that the caller reads to its end or cancels. */
  readonly body: Body;
  /** Which part of the file the body is; absent for the whole file. */
  readonly range?: ByteRange | undefined;
}

export interface FileToStore extends Omit<FileFacts, 'size'> {
  readonly bytes: Uint8Array;
}

/** `create` never replaces a file that is there: the rule for everything immutable. */
export type WriteMode = 'create' | 'replace';

/**
 * A tier that is fast and may forget: the near one (one data centre) or the world-wide one. A read
 * that fails counts as a miss, a write that fails costs nothing but time later.
 */
export interface CacheStore {
  /** Name of the tier in headers and logs, such as `kv`. */
  readonly label: string;
  /** The file, or undefined. */
  read(key: StoreKey): Promise<StoredFile | undefined>;
  /** Keeps a file, for at most `seconds` where that is given. */
  write(key: StoreKey, file: FileToStore, seconds?: number): Promise<void>;
  /** Forgets the file. Other data centres may see it for some time. */
  remove(key: StoreKey): Promise<void>;
}

/** The near tier also holds negative entries, and files that are too large for memory. */
export interface NearStore extends CacheStore {
  /** Streams a file of known size in, for at most `seconds` where that is given. */
  writeStream(key: StoreKey, file: StoredFile, seconds?: number): Promise<void>;
  /** The negative entry of a key while it lives, or undefined. */
  readMissing(key: StoreKey): Promise<NegativeEntry | undefined>;
  writeMissing(key: StoreKey, missing: NegativeEntry, seconds: number): Promise<void>;
}

/** A "not found" of an origin, remembered. */
export interface NegativeEntry {
  readonly status: 404 | 410;
  readonly text: string;
  /** Name of the origin that gave it. */
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

/** A key in a durable store, and the size of its file in bytes. */
export interface ListedFile {
  readonly key: string;
  readonly size: number;
}

/** The durable tier, which decides what is stored. */
export interface DurableStore {
  /** Name of the tier in headers and logs, such as `r2`. */
  readonly label: string;
  /**
   * The file or a part of it. A range that begins beyond the end is undefined behaviour: the caller
   * checks `size` first.
   */
  read(key: StoreKey, range?: ByteRange): Promise<StoredFile | undefined>;
  /** Size, etag and check of the file, without its bytes. */
  head(key: StoreKey): Promise<FileFacts | undefined>;
  /** False when `create` found a file there, which stays. */
  write(key: StoreKey, file: FileToStore, mode: WriteMode): Promise<boolean>;
  /** Starts a streamed write; `size` in bytes where it is known. */
  upload(key: StoreKey, file: NewFile): Promise<Upload>;
  /**
   * Replaces the file that has the version `known` (undefined: there was none). False, and nothing
   * is written, when another version is there.
   */
  swap(key: StoreKey, known: string | undefined, file: FileToStore): Promise<boolean>;
  /** The whole file, with the version that `swap` takes. */
  readForSwap(key: StoreKey): Promise<SwappableFile | undefined>;
  /** Removes files; those that do not exist are passed over. */
  remove(keys: readonly StoreKey[]): Promise<void>;
  /**
   * Every file whose key begins with `prefix`, by the UTF-8 bytes of the keys, however many there
   * are.
   */
  list(prefix: string): AsyncIterable<ListedFile>;
}

/** A file whose bytes follow; `size` in bytes where it is known. */
export interface NewFile {
  readonly etag: string;
  readonly size: number | undefined;
}

/** A file that is changed by compare and swap. */
export interface SwappableFile {
  readonly bytes: Uint8Array;
  /** Its version. */
  readonly known: string;
}
