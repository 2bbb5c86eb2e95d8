import { equalHashes, HASH_LENGTH, recordHash } from './stored-hash.ts';
import { recordEnd } from './record.ts';
import type { Tile } from './tile-path.ts';

/**
 * Whether `records`, the bytes of the data tile `tile`, are the records that the log has there:
 * `malformed` where they are not as many records, `other` where the log has other ones. `hashes` are the proven bytes of the hash tile of level 0 at the same index, at least as wide. A
 * data tile is the text of one record after the other, without ids and each followed by a blank
 * line. Source: golang.org/x/mod/sumdb, server.go ServeHTTP; tlog/note.go FormatRecord.
 */
export function checkDataTile(
  records: Uint8Array,
  tile: Tile,
  hashes: Uint8Array,
): 'right' | 'malformed' | 'other' {
  const texts = tile.level === 'data' ? splitRecords(records) : undefined;
  if (texts?.length !== tile.width) return 'malformed';
  const isRight = texts.every((text, at) =>
    // Where there are too few hashes this is empty, and so equal to none.
    equalHashes(recordHash(text), hashes.subarray(at * HASH_LENGTH, (at + 1) * HASH_LENGTH)),
  );
  return isRight ? 'right' : 'other';
}

/** The texts of records that follow one another; undefined where something else follows them. */
function splitRecords(records: Uint8Array): readonly Uint8Array[] | undefined {
  const texts: Uint8Array[] = [];
  for (let start = 0; start < records.length;) {
    const end = recordEnd(records, start);
    if (end === undefined) return undefined;
    texts.push(records.subarray(start, end));
    start = end + 1;
  }
  return texts;
}
