// The central directory at the end of a zip file, read as Go's archive/zip reads it.
//
// The h1: hash of a module zip covers the names and contents that the go command finds through the
// central directory; local headers decide nothing. A reader that found other entries than
// archive/zip does would verify one zip and hand out another. So the rules below are those of
// archive/zip (reader.go, readDirectoryEnd and readDirectoryHeader) also where APPNOTE.TXT is
// stricter:
//
// - the end record is the last one in the file, and bytes may follow its comment;
// - headers are read until something else follows, and only then counted, modulo 65536;
// - bytes before the first entry move every offset, unless the directory is at the offset that the
//   end record states.
//
// Names are bytes: no character set is assumed. Everything is little endian.

import { findEnd, type End } from './directory-end.ts';
import { readHeader, type Entry } from './directory-header.ts';
import { beyondTail, broken, type BeyondTail, type Broken, type Tail } from './tail.ts';

/**
 * What the tail of a zip file holds. `complete.start` is where the directory starts in the file.
 * After `beyond-tail` the caller tries again with every byte from `start` on. That is always before
 * the present tail, and as far back as the file claims: the caller sets a limit.
 */
export type Directory =
  | { readonly kind: 'complete'; readonly start: number; readonly entries: readonly Entry[] }
  | BeyondTail
  | Broken;

/**
 * Returns the central directory of a zip file of `size` bytes that ends with the bytes `tail`.
 * Accepts and refuses what Go's `archive/zip.NewReader` does, except that it also refuses what
 * could never be opened, a local header outside the file or numbers above 2^53, and more than
 * 150,000 entries. Never throws, whatever the bytes.
 */
export function readDirectory(tail: Uint8Array, size: number): Directory {
  if (!Number.isSafeInteger(size) || tail.length > size) {
    return broken(`Cannot place a tail of ${tail.length} bytes in a file of ${size} bytes`);
  }
  const view = new DataView(tail.buffer, tail.byteOffset, tail.length);
  const held: Tail = { bytes: tail, view, start: size - tail.length, size };
  const end = findEnd(held);
  return end.kind === 'end' ? readFromEnd(held, end) : end;
}

/**
 * Returns true if `head` starts with a local header or, for an empty zip, an end record (APPNOTE
 * 4.3.7, 4.3.16).
 */
export function looksLikeZipStart(head: Uint8Array): boolean {
  const [p, k, third, fourth] = head;
  return (
    p === 0x50 && k === 0x4b && ((third === 3 && fourth === 4) || (third === 5 && fourth === 6))
  );
}

function readFromEnd(tail: Tail, end: End): Directory {
  const { position, directorySize, directoryOffset } = end;
  const start = position - directorySize;
  if (start < 0) return broken(`Directory of ${directorySize} bytes cannot end at ${position}`);
  const base = start - directoryOffset;
  if (base > 0) {
    // Either other bytes precede the zip, or the size in the end record is wrong. A header at the
    // stated offset means that the size is.
    if (directoryOffset < tail.start) return beyondTail(directoryOffset);
    if (readHeader(tail, directoryOffset, 0).ok) {
      return readEntries(tail, { start: directoryOffset, base: 0, records: end.records });
    }
  }
  if (start < tail.start) return beyondTail(start);
  return readEntries(tail, { start, base, records: end.records });
}

/**
 * An entry takes some 200 bytes of memory, and 46 bytes of a file: without a limit a small zip
 * could fill the memory.
 */
const MAX_ENTRIES = 150_000;

function readEntries(
  tail: Tail,
  directory: { start: number; base: number; records: number },
): Directory {
  const { start, base, records } = directory;
  const entries: Entry[] = [];
  for (let at = start; ;) {
    const header = readHeader(tail, at, base);
    if (!header.ok) {
      if (header.reason === 'not-a-header') break;
      return broken('Directory runs to the end of the file');
    }
    const { entry, next } = header.value;
    const reason = findProblem(entry, tail.size);
    if (reason !== undefined) return broken(`Directory header at ${at} ${reason}`);
    if (entries.length === MAX_ENTRIES)
      return broken(`Directory has more than ${MAX_ENTRIES} entries`);
    entries.push(entry);
    at = next;
  }
  if (entries.length % 0x10000 === records) return { kind: 'complete', start, entries };
  return broken(`Directory has ${entries.length} entries where the end record counts ${records}`);
}

const LOCAL_HEADER_LENGTH = 30;

function findProblem(entry: Entry, size: number): string | undefined {
  const { localHeaderOffset: at, compressedSize, uncompressedSize } = entry;
  if (at < 0 || at + LOCAL_HEADER_LENGTH > size) return 'points outside the file';
  const exact = Number.isSafeInteger(compressedSize) && Number.isSafeInteger(uncompressedSize);
  return exact ? undefined : 'declares a zip64 size beyond 2^53';
}
