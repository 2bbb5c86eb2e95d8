import { readDirectory, type Directory } from './directory.ts';
import { readExactly } from './source.ts';
import { type ByteSource } from '../../bytes/byte-source.ts';
import { broken } from './tail.ts';

/** Read first: the end record with its comment, and the directory of about 1,700 files. */
const FIRST_TAIL_BYTES = 256 * 1024;

/**
 * The largest directory that is read. It is held in memory with an object for each of its entries,
 * in an isolate that has 128 MB in all. 16 MiB are 110,000 files with names of 100 bytes, twice as
 * many as the largest known module has.
 */
export const MAX_DIRECTORY_BYTES = 16 * 1024 * 1024;

/**
 * The outcome of `readDirectory` with as much of the end of the file as it needs. Rejects when the
 * source does.
 */
export async function loadDirectory(
  source: ByteSource,
): Promise<Exclude<Directory, { readonly kind: 'beyond-tail' }>> {
  let start = Math.max(0, source.size - FIRST_TAIL_BYTES);
  for (;;) {
    const length = source.size - start;
    if (length > MAX_DIRECTORY_BYTES) {
      return broken(
        `Directory is in the last ${length} bytes, more than the ${MAX_DIRECTORY_BYTES} that are read`,
      );
    }
    const directory = readDirectory(
      await readExactly(source, { offset: start, length }),
      source.size,
    );
    if (directory.kind !== 'beyond-tail') return directory;
    ({ start } = directory);
  }
}
