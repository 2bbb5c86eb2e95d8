import {
  beyondTail,
  broken,
  uint16,
  uint32,
  uint64,
  type BeyondTail,
  type Broken,
  type Tail,
} from './tail.ts';

/** Where the directory is, as the (zip64) end of central directory record states it. */
export interface End {
  readonly kind: 'end';
  /** Where the record itself starts, and the directory should end. */
  readonly position: number;
  /** Modulo 65536, which is all that archive/zip compares. */
  readonly records: number;
  readonly directorySize: number;
  /** As stored: without the bytes that may precede the zip. */
  readonly directoryOffset: number;
}

// End of central directory record, APPNOTE 4.3.16
//
//   offset  size
//        0     4  signature "PK\x05\x06"
//        4     6  disk numbers, entries on this disk (ignored)
//       10     2  entries in the directory
//       12     4  size of the directory
//       16     4  offset of the directory
//       20     2  length of the comment
//       22     n  comment
const END_SIGNATURE = 0x06054b50;
const END_LENGTH = 22;
// archive/zip searches this far back; the longest comment needs 65 557.
const END_SEARCH = 65 * 1024;

/**
 * Returns the last end record of the file, or the zip64 record it refers to. The rules are those of
 * Go's archive/zip: bytes may follow the comment, but the comment must fit (reader.go,
 * findSignatureInBlock).
 */
export function findEnd(tail: Tail): End | BeyondTail | Broken {
  const limit = Math.max(0, tail.size - END_SEARCH);
  const first = Math.max(limit, tail.start);
  for (let at = tail.size - END_LENGTH; at >= first; at--) {
    if (uint32(tail, at) !== END_SIGNATURE) continue;
    if (at + END_LENGTH + uint16(tail, at + 20) > tail.size) {
      // A further search would accept a forged record inside the comment of a truncated file.
      return broken(
        `Comment of the end of central directory record at ${at} runs past the end of the file`,
      );
    }
    const records = uint16(tail, at + 10);
    const directorySize = uint32(tail, at + 12);
    const directoryOffset = uint32(tail, at + 16);
    const end: End = { kind: 'end', position: at, records, directorySize, directoryOffset };
    return records === 0xffff || directorySize === 0xffffffff || directoryOffset === 0xffffffff
      ? followZip64(tail, end)
      : end;
  }
  if (tail.start > limit) return beyondTail(limit);
  return broken(`No end of central directory record in the last ${tail.size - limit} bytes`);
}

// Zip64 locator, APPNOTE 4.3.15, the 20 bytes before the end record; and the record it points to,
// APPNOTE 4.3.14
//
//   offset  size                                  offset  size
//        0     4  signature "PK\x06\x07"               0     4  signature "PK\x06\x06"
//        4     4  disk of the zip64 record, 0          4    28  size, versions, disks (ignored)
//        8     8  offset of the zip64 record          32     8  entries in the directory
//       16     4  number of disks, 1                  40     8  size of the directory
//                                                     48     8  offset of the directory
const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
const ZIP64_LOCATOR_LENGTH = 20;
const ZIP64_END_SIGNATURE = 0x06064b50;
const ZIP64_END_LENGTH = 56;

/**
 * Returns the zip64 end record if there is one, else `end`: a count of 65 535 may also mean that
 * there are 65 535 entries.
 */
function followZip64(tail: Tail, end: End): End | BeyondTail | Broken {
  const locator = end.position - ZIP64_LOCATOR_LENGTH;
  if (locator < 0) return end;
  if (locator < tail.start) return beyondTail(locator);
  const isLocator = uint32(tail, locator) === ZIP64_LOCATOR_SIGNATURE;
  if (!isLocator || uint32(tail, locator + 4) !== 0 || uint32(tail, locator + 16) !== 1) return end;
  // archive/zip treats an offset that is negative as an int64 as no zip64 record.
  if (uint32(tail, locator + 12) > 0x7fffffff) return end;
  const position = uint64(tail, locator + 8);
  if (position + ZIP64_END_LENGTH > tail.size)
    return broken('Zip64 end record lies outside the file');
  if (position < tail.start) return beyondTail(position);
  if (uint32(tail, position) !== ZIP64_END_SIGNATURE)
    return broken(`No zip64 end record at ${position}`);
  const directorySize = uint64(tail, position + 40);
  const directoryOffset = uint64(tail, position + 48);
  if (!Number.isSafeInteger(directorySize) || !Number.isSafeInteger(directoryOffset)) {
    return broken('Zip64 end record points beyond 2^53');
  }
  return {
    kind: 'end',
    position,
    records: uint16(tail, position + 32),
    directorySize,
    directoryOffset,
  };
}
