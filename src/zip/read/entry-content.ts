// The content of one entry, read and checked as Go's archive/zip does (reader.go: Open,
// findBodyOffset, checksumReader, readDataDescriptor). Of the local header only its length counts;
// every number is taken from the central directory. What Go ignores is ignored: the flag of
// encryption, names and sizes in the local header, what follows a deflate stream.

import { hexOfUint32 } from '../../bytes/hex.ts';
import { crc32 } from 'node:zlib';
import { sha256, startSha256 } from '../../bytes/sha256.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import { describeEntry } from './describe-name.ts';
import { type Entry, isDirectoryName } from './directory-header.ts';
import { inflate, inflateLean, inflatePieces } from './inflate.ts';
import type { Windows } from './windows.ts';

const STORED = 0;
const DEFLATED = 8;
const DESCRIPTOR_FLAG = 0x8;

/**
 * An entry of at most this size is held whole, stored and inflated; a larger one is read in pieces.
 */
export const MAX_HELD_BYTES = 256 * 1024;

/**
 * Returns the SHA-256 of the content of `entry`, or why Go would not read it. Rejects when the zip
 * cannot be read.
 */
export async function hashEntry(windows: Windows, entry: Entry): Promise<Result<Uint8Array>> {
  const hashed = await hashContent(windows, entry);
  return hashed.ok ? hashed : failed(`${describeEntry(entry)} ${hashed.reason}`);
}

/** What is in an entry, as it was read. */
interface Content {
  readonly length: number;
  readonly crc32: number;
  readonly sum: Uint8Array;
}

async function hashContent(windows: Windows, entry: Entry): Promise<Result<Uint8Array>> {
  const body = await findBody(windows, entry);
  if (!body.ok) return body;
  if (isDirectoryName(entry.name)) {
    // Java's jar tool gives directories a compressed size, so it is not checked.
    return entry.uncompressedSize === 0
      ? success(sha256())
      : failed(`is a directory and declares ${entry.uncompressedSize} bytes`);
  }
  if (entry.method !== STORED && entry.method !== DEFLATED) {
    return failed(`is compressed by method ${entry.method}, which Go does not read`);
  }
  const read = await readContent(windows, entry, body.value);
  if (!read.ok) return read;
  const content = read.value;
  if (content.length !== entry.uncompressedSize) {
    return failed(`declares ${entry.uncompressedSize} bytes and has ${content.length}`);
  }
  const end = body.value + entry.compressedSize;
  const wrong = await findWrongChecksum(windows, entry, { content, end });
  return wrong === undefined ? success(content.sum) : failed(wrong);
}

// Local header, APPNOTE 4.3.7: signature "PK\x03\x04", 22 bytes that Go skips, the length of the
// name (2), the length of the extra field (2), the name and the extra field.
const LOCAL_HEADER_LENGTH = 30;
const LOCAL_SIGNATURE = 0x04034b50;

/** Returns where the stored form of the content starts. */
async function findBody(
  windows: Windows,
  { localHeaderOffset: at }: Entry,
): Promise<Result<number>> {
  const header = viewOf(await windows.read(at, LOCAL_HEADER_LENGTH));
  if (header.byteLength < LOCAL_HEADER_LENGTH || header.getUint32(0, true) !== LOCAL_SIGNATURE) {
    return failed(`has no local header at ${at}`);
  }
  return success(
    at + LOCAL_HEADER_LENGTH + header.getUint16(26, true) + header.getUint16(28, true),
  );
}

/** The content of an entry that `hashEntry` has accepted, whole in memory. */
export async function readEntry(windows: Windows, entry: Entry): Promise<Result<Uint8Array>> {
  const body = await findBody(windows, entry);
  return body.ok ? readWhole(windows, entry, body.value) : body;
}

async function readWhole(
  windows: Windows,
  { compressedSize, method, uncompressedSize }: Entry,
  body: number,
): Promise<Result<Uint8Array>> {
  const stored = await windows.read(body, compressedSize);
  return method === DEFLATED ? inflate(stored, uncompressedSize) : success(stored);
}

async function readContent(windows: Windows, entry: Entry, body: number): Promise<Result<Content>> {
  const { compressedSize, uncompressedSize: size } = entry;
  if (Math.max(compressedSize, size) > MAX_HELD_BYTES) return readPieces(windows, entry, body);
  const read = await readWhole(windows, entry, body);
  if (!read.ok) return read;
  const bytes = read.value;
  return success({ length: bytes.length, crc32: crc32(bytes), sum: sha256(bytes) });
}

async function readPieces(windows: Windows, entry: Entry, body: number): Promise<Result<Content>> {
  const { compressedSize, method, uncompressedSize } = entry;
  const pieces = () => windows.pieces(body, compressedSize);
  if (method === STORED) {
    const tally = startTally();
    for await (const piece of pieces()) tally.take(piece);
    return success(tally.content());
  }
  const lean = startTally();
  const outcome = await inflateLean(pieces(), uncompressedSize, lean.take);
  if (outcome.kind === 'inflated') return success(lean.content());
  if (outcome.kind === 'refused') return failed(outcome.reason);
  const tally = startTally();
  const inflated = await inflatePieces(pieces(), uncompressedSize, tally.take);
  return inflated.ok ? success(tally.content()) : inflated;
}

/** Counts and hashes content that comes in pieces. */
function startTally(): {
  readonly take: (bytes: Uint8Array) => void;
  readonly content: () => Content;
} {
  const hash = startSha256();
  let length = 0;
  let checksum = 0;
  return {
    take(bytes) {
      hash.update(bytes);
      length += bytes.length;
      checksum = crc32(bytes, checksum);
    },
    content: () => ({ length, crc32: checksum, sum: hash.digest() }),
  };
}

// Data descriptor, APPNOTE 4.3.9, after the data if flag bit 3 is set: signature "PK\x07\x08" or
// none, then the CRC-32 and both sizes. A size may have 4 or 8 bytes, so Go reads the first 12
// bytes only and compares no size.
const DESCRIPTOR_SIGNATURE = 0x08074b50;
const DESCRIPTOR_LENGTH = 12;

async function findWrongChecksum(
  windows: Windows,
  { crc32: declared, flags }: Entry,
  { content, end }: { readonly content: Content; readonly end: number },
): Promise<string | undefined> {
  const wrong = `has CRC-32 ${hexOfUint32(content.crc32)} where ${hexOfUint32(declared)} is declared`;
  if ((flags & DESCRIPTOR_FLAG) === 0) {
    // Zero counts as not declared, though only without a descriptor.
    return declared !== 0 && declared !== content.crc32 ? wrong : undefined;
  }
  const descriptor = viewOf(await windows.read(end, 4 + DESCRIPTOR_LENGTH));
  const signed =
    descriptor.byteLength >= 4 && descriptor.getUint32(0, true) === DESCRIPTOR_SIGNATURE;
  const start = signed ? 4 : 0;
  if (descriptor.byteLength < start + DESCRIPTOR_LENGTH) return `has no data descriptor at ${end}`;
  const described = descriptor.getUint32(start, true);
  if (described !== declared) {
    return `has CRC-32 ${hexOfUint32(described)} in its data descriptor where ${hexOfUint32(declared)} is declared`;
  }
  return content.crc32 === declared ? undefined : wrong;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
