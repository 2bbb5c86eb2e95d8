import { failed, type Result, success } from '../../effects/result.ts';
import { int64, uint16, uint32, uint64, type Tail } from './tail.ts';

/** One header of the central directory (APPNOTE 4.3.12), with zip64 sizes already applied. */
export interface Entry {
  /** The name as stored, not decoded: a view into the tail that was read, not a copy. */
  readonly name: Uint8Array;
  /** Declared size of the stored form in bytes; not compared with the file. */
  readonly compressedSize: number;
  /** Declared size of the content in bytes; nothing has been inflated yet. */
  readonly uncompressedSize: number;
  /** 0 stored, 8 deflated (APPNOTE 4.4.5); not checked. */
  readonly method: number;
  readonly crc32: number;
  readonly flags: number;
  /** Where the local header starts in the file; its 30 fixed bytes lie inside the file. */
  readonly localHeaderOffset: number;
  /** Where this directory header starts in the file. */
  readonly directoryOffset: number;
}

const SLASH = 0x2f;

/**
 * Whether the name is that of a directory, which its last byte alone decides (archive/zip
 * reader.go, Open).
 */
export function isDirectoryName(name: Uint8Array): boolean {
  return name.at(-1) === SLASH;
}

// Central directory header, APPNOTE 4.3.12
//
//   offset  size
//        0     4  signature "PK\x01\x02"
//        4     4  versions (ignored)
//        8     2  flags
//       10     2  method
//       12     4  time and date (ignored)
//       16     4  CRC-32
//       20     4  compressed size
//       24     4  uncompressed size
//       28     2  length of the name, n
//       30     2  length of the extra field, x
//       32     2  length of the comment, c
//       34     8  disk, attributes (ignored)
//       42     4  offset of the local header
//       46   n+x+c
const HEADER_SIGNATURE = 0x02014b50;
const HEADER_LENGTH = 46;

/** An entry, and where the header after it would start. */
export interface Header {
  readonly entry: Entry;
  readonly next: number;
}

/**
 * Returns the header at `at`; `base` is added to the offset of its local header. The two failures
 * differ as io.EOF and ErrFormat do in Go's archive/zip (reader.go, readDirectoryHeader):
 * `end-of-file` makes the zip broken, `not-a-header` ends the directory.
 */
export function readHeader(
  tail: Tail,
  at: number,
  base: number,
): Result<Header, 'end-of-file' | 'not-a-header'> {
  if (at === tail.size) return failed('end-of-file');
  if (at + HEADER_LENGTH > tail.size || uint32(tail, at) !== HEADER_SIGNATURE)
    return failed('not-a-header');
  const name = at + HEADER_LENGTH;
  const extra = name + uint16(tail, at + 28);
  const comment = extra + uint16(tail, at + 30);
  const next = comment + uint16(tail, at + 32);
  if (next > tail.size) return failed(name === tail.size ? 'end-of-file' : 'not-a-header');
  const sizes = readSizes(tail, at, { start: extra, end: comment });
  if (sizes === undefined) return failed('not-a-header');
  const entry: Entry = {
    name: tail.bytes.subarray(name - tail.start, extra - tail.start),
    compressedSize: sizes.compressedSize,
    uncompressedSize: sizes.uncompressedSize,
    method: uint16(tail, at + 10),
    crc32: uint32(tail, at + 16),
    flags: uint16(tail, at + 8),
    localHeaderOffset: base + sizes.localHeaderOffset,
    directoryOffset: at,
  };
  return success({ entry, next });
}

// Extra field, APPNOTE 4.5.1 and 4.5.3: blocks of a tag (2), a length (2) and that many bytes. The
// zip64 block, tag 1, holds up to three numbers of 8 bytes: those of the order below whose 4-byte
// field in the header is 0xffffffff.
const ZIP64_TAG = 1;
const ZIP64_ORDER = ['uncompressedSize', 'compressedSize', 'localHeaderOffset'] as const;
const SEE_ZIP64 = 0xffffffff;

type Sizes = Pick<Entry, 'compressedSize' | 'uncompressedSize' | 'localHeaderOffset'>;

/**
 * Returns the sizes and offset of the header at `at`, or undefined if a zip64 block lacks a number
 * that it must hold.
 */
function readSizes(
  tail: Tail,
  at: number,
  extra: { start: number; end: number },
): Sizes | undefined {
  const stored = {
    compressedSize: uint32(tail, at + 20),
    uncompressedSize: uint32(tail, at + 24),
    localHeaderOffset: uint32(tail, at + 42),
  };
  const sizes = { ...stored };
  for (let block = extra.start; block + 4 <= extra.end;) {
    let field = block + 4;
    const end = field + uint16(tail, block + 2);
    if (end > extra.end) break;
    const wanted = uint16(tail, block) === ZIP64_TAG ? ZIP64_ORDER : [];
    for (const key of wanted) {
      // Of two zip64 blocks archive/zip takes the sizes from the second and the offset from the
      // first.
      if ((key === 'localHeaderOffset' ? sizes : stored)[key] !== SEE_ZIP64) continue;
      if (field + 8 > end) return undefined;
      sizes[key] = key === 'localHeaderOffset' ? int64(tail, field) : uint64(tail, field);
      field += 8;
    }
    block = end;
  }
  return sizes;
}
