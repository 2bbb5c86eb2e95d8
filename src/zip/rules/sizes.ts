import type { Entry } from '../read/directory-header.ts';

/** golang.org/x/mod/zip.MaxZipFile: the limit for a module zip, and for all its files together. */
export const MAX_ZIP_BYTES = 500 * 1024 * 1024;

/** golang.org/x/mod/zip.MaxGoMod and MaxLICENSE: the limit for each of these two files. */
export const MAX_NOTICE_BYTES = 16 * 1024 * 1024;

const LIMITED = new Set(['go.mod', 'LICENSE']);

/**
 * Returns a reason if `path`, relative to the root of its module, is a file with its own limit and
 * exceeds it.
 */
export function findOversizedFile(
  path: string,
  { uncompressedSize: size }: Pick<Entry, 'uncompressedSize'>,
): string | undefined {
  if (!LIMITED.has(path) || size <= MAX_NOTICE_BYTES) return undefined;
  return `declares ${size} bytes, over Go's limit of ${MAX_NOTICE_BYTES} for this file`;
}

/**
 * Returns a reason if the zip, or the declared content of all entries, is larger than Go reads.
 */
export function findOversizedZip(entries: readonly Entry[], size: number): string | undefined {
  if (size > MAX_ZIP_BYTES) return `zip of ${size} bytes, over Go's limit of ${MAX_ZIP_BYTES}`;
  let total = 0;
  for (const { uncompressedSize } of entries) total += uncompressedSize;
  if (total <= MAX_ZIP_BYTES) return undefined;
  return `entries declare ${total} bytes in all, over Go's limit of ${MAX_ZIP_BYTES}`;
}

/**
 * Returns a reason if the stored forms of `entries` cannot lie side by side in a file of `size`
 * bytes. Go reads such a zip, but writes none: thousands of entries that share the same data make a
 * small file cost days to read (https://www.bamsoftware.com/hacks/zipbomb/).
 */
export function findOverlap(entries: readonly Entry[], size: number): string | undefined {
  let total = 0;
  for (const { compressedSize, localHeaderOffset } of entries) {
    total += Math.min(compressedSize, size - localHeaderOffset);
  }
  return total > size
    ? `entries overlap: they take ${total} bytes in a file of ${size}`
    : undefined;
}
