import type { H1 } from '../../bytes/h1.ts';
import { SHA256_BYTES } from '../../bytes/sha256.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import { describeEntry } from '../read/describe-name.ts';
import { type Entry, isDirectoryName } from '../read/directory-header.ts';
import { hashEntry } from '../read/entry-content.ts';
import { loadDirectory } from '../read/load-directory.ts';
import type { ByteSource } from '../../bytes/byte-source.ts';
import { broken, type Broken } from '../read/tail.ts';
import { Windows } from '../read/windows.ts';
import { findOverlap, findOversizedZip } from '../rules/sizes.ts';
import { compareNames, hashLines, type Line } from './h1.ts';

export interface HashZipOptions {
  /**
   * Checks the directory before any content is read; a reason makes the zip broken. Default none.
   */
  readonly check?: (entries: readonly Entry[]) => string | undefined;
  /** Called after each read with the bytes read so far. Default none. */
  readonly onProgress?: (bytesRead: number) => void;
}

/**
 * Returns the `h1:` hash of a module zip, or why Go would compute none. The rules are those of
 * golang.org/x/mod/sumdb/dirhash HashZip over archive/zip, with further limits that no module zip
 * made by Go reaches (see `findOversizedZip`, `findOverlap`, `loadDirectory` and `readDirectory`).
 *
 * The file is read once, in order and in large parts. Some 16 MiB beyond its directory are held in
 * memory. Rejects when the source does; the zip itself may then be good.
 */
export async function hashZip(
  source: ByteSource,
  options: HashZipOptions = {},
): Promise<{ readonly kind: 'hashed'; readonly h1: H1 } | Broken> {
  const directory = await loadDirectory(source);
  if (directory.kind === 'broken') return directory;
  const { entries, start } = directory;
  const reason = options.check?.(entries) ?? findOversizedZip(entries, source.size);
  if (reason !== undefined) return broken(reason);

  const files = groupByName(entries);
  const windows = new Windows(source, { end: start, onProgress: options.onProgress });
  const sums = await hashFiles(files, windows, source.size);
  return sums.ok
    ? { kind: 'hashed', h1: hashLines(linesOf(files, sums.value)) }
    : broken(sums.reason);
}

/** All entries of one name. Go hashes each of them, and reads the last one every time. */
interface NamedFile {
  readonly entry: Entry;
  readonly times: number;
}

/** Returns the files sorted by name. */
function groupByName(entries: readonly Entry[]): NamedFile[] {
  const files: NamedFile[] = [];
  // The sort is stable: of equal names the last in the directory stays the last.
  for (const entry of entries.toSorted((a, b) => compareNames(a.name, b.name))) {
    const last = files.at(-1);
    const again = last !== undefined && compareNames(last.entry.name, entry.name) === 0;
    if (again) files.pop();
    files.push({ entry, times: again ? last.times + 1 : 1 });
  }
  return files;
}

const LINE_FEED = 0x0a;

/**
 * Returns the SHA-256 of each file, one after the other, or the first problem in the order of the
 * zip.
 */
async function hashFiles(
  files: readonly NamedFile[],
  windows: Windows,
  size: number,
): Promise<Result<Uint8Array>> {
  const unhashable = findUnhashable(files, size);
  if (unhashable !== undefined) return failed(unhashable);
  // All in one array: a hundred thousand arrays of 32 bytes take many times as much.
  const sums = new Uint8Array(files.length * SHA256_BYTES);
  const ordered = [...files.entries()].toSorted(
    ([, a], [, b]) => a.entry.localHeaderOffset - b.entry.localHeaderOffset,
  );
  for (const [index, { entry }] of ordered) {
    windows.moveTo(entry.localHeaderOffset);
    const sum = await hashEntry(windows, entry);
    if (!sum.ok) return sum;
    sums.set(sum.value, index * SHA256_BYTES);
  }
  return success(sums);
}

function findUnhashable(files: readonly NamedFile[], size: number): string | undefined {
  const split = files.find(({ entry }) => entry.name.includes(LINE_FEED));
  if (split) return `${describeEntry(split.entry)} has a line feed in its name`;
  const read = files.map(({ entry }) => entry).filter(({ name }) => !isDirectoryName(name));
  return findOverlap(read, size);
}

function* linesOf(files: readonly NamedFile[], sums: Uint8Array): Generator<Line> {
  for (const [index, { entry, times }] of files.entries()) {
    const sum = sums.subarray(index * SHA256_BYTES, (index + 1) * SHA256_BYTES);
    for (let time = 0; time < times; time++) yield { name: entry.name, sum };
  }
}
