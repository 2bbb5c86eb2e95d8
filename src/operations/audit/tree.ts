import type { ZipSource } from '../../zip/read/source.ts';

export interface ListedFile {
  /** The path of the file in the tree, as in src/store/key.ts. */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
}

/**
 * What an audit may touch of the tree: a bucket, or a directory in the layout of
 * `$GOMODCACHE/cache/download`.
 */
export interface AuditedTree {
  /**
   * Every file, by the UTF-8 bytes of the keys: an audit that was interrupted goes on behind the
   * last one it had.
   */
  list(): AsyncIterable<ListedFile>;
  /** The whole file, or undefined where there is none. Rejects when it cannot be read. */
  read(key: string): Promise<Uint8Array | undefined>;
  /** The file, to be read in ranges; undefined where there is none. */
  open(key: string): Promise<ZipSource | undefined>;
  /** Removes files; those that are not there are none the less gone. */
  remove(keys: readonly string[]): Promise<void>;
}

const encoder = new TextEncoder();

/**
 * Negative, 0 or positive as the UTF-8 bytes of `a` come before, are, or come after those of `b`.
 */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const left = encoder.encode(a);
  const right = encoder.encode(b);
  const differs = left.findIndex((byte, at) => byte !== right[at]);
  return differs < 0 ? -1 : (left[differs] ?? 0) - (right[differs] ?? -1);
}
