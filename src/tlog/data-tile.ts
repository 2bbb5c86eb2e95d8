import { equalHashes, HASH_LENGTH, recordHash } from './stored-hash.ts';
import { recordEnd } from './record.ts';
import type { Tile } from './tile-path.ts';

/**
 * Whether `records`, the bytes of the data tile `tile`, are the records that the log has there.
 * `hashes` are the proven bytes of the hash tile of level 0 at the same index, at least as wide. A
 * data tile is the text of one record after the other, without ids and each followed by a blank
 * line. Source: golang.org/x/mod/sumdb, server.go ServeHTTP; tlog/note.go FormatRecord.
 */
export function checkDataTile(records: Uint8Array, tile: Tile, hashes: Uint8Array): boolean {
  if (tile.level !== 'data') return false;
  let start = 0;
  for (let at = 0; at < tile.width; at += 1) {
    const end = recordEnd(records, start);
    if (end === undefined) return false;
    // Where there are too few hashes this is empty, and so equal to none.
    const expected = hashes.subarray(at * HASH_LENGTH, (at + 1) * HASH_LENGTH);
    if (!equalHashes(recordHash(records.subarray(start, end)), expected)) return false;
    start = end + 1;
  }
  return start === records.length;
}
