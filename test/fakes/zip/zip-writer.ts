import { createHash } from 'node:crypto';
import { crc32, deflateRawSync } from 'node:zlib';
import type { StreamedBody } from '../origin/answer.ts';
import { hashFiles } from './dirhash.ts';

// A zip file, PKWARE APPNOTE 6.3, as little of it as module zips use (all numbers little endian):
//
//   local header        30 bytes + name, then the data, then 16 bytes of data descriptor if flag
//                       bit 3 is set
//   ...
//   central directory   46 bytes + name for each entry
//   end record          22 bytes + comment
//
// Like Go's zip.Writer, this writer deflates by default, leaves the sizes in the local header zero
// and writes a data descriptor: a reader that trusts local headers must fail on the fixtures.

const LOCAL_HEADER = 30;
const CENTRAL_HEADER = 46;
const DESCRIPTOR_FLAG = 0x8;
const UTF8_FLAG = 0x800;

/** Wrong header values. A size or checksum is changed in every place that states it. */
export interface ZipLies {
  readonly crc32?: number;
  readonly size?: number;
  readonly compressedSize?: number;
  readonly method?: number;
  readonly headerOffset?: number;
  /** Bits set in addition to the true ones. */
  readonly flags?: number;
  /** The name in the local header alone; the central directory keeps the true one. */
  readonly localName?: string;
}

export interface ZipEntry {
  /** A string is written as UTF-8, bytes as they are. A name ending in "/" is a directory. */
  readonly name: string | Uint8Array;
  readonly content: string | Uint8Array;
  readonly method?: 'store' | 'deflate';
  /** The bytes as they are in the zip; default the content, deflated where `method` says so. */
  readonly data?: Uint8Array;
  /**
   * Whether a data descriptor follows the data, as in Go's zips; `unsigned` omits its optional
   * signature. Default true for deflated entries, false for stored ones.
   */
  readonly descriptor?: boolean | 'unsigned';
  readonly lies?: ZipLies;
}

export interface ZipOptions {
  readonly comment?: string;
  /** The number of entries that the end record claims. */
  readonly entryCount?: number;
  /**
   * Bytes before the first entry that the offsets do not count, as in a self-extracting archive.
   */
  readonly preamble?: Uint8Array;
}

/** Builds a zip in memory. */
export function writeZip(entries: readonly ZipEntry[], options: ZipOptions = {}): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const entry of entries) {
    const record = measure(entry, offset);
    const written = [
      localHeader(record),
      record.data,
      ...(record.descriptor === false ? [] : [dataDescriptor(record)]),
    ];
    for (const part of written) offset += part.byteLength;
    parts.push(...written);
    directory.push(centralHeader(record));
  }
  const size = directory.reduce((sum, header) => sum + header.byteLength, 0);
  const end = endRecord(
    { count: options.entryCount ?? entries.length, size, offset },
    options.comment,
  );
  return Buffer.concat([options.preamble ?? Buffer.alloc(0), ...parts, ...directory, end]);
}

interface ZipRecord {
  readonly name: Uint8Array;
  readonly localName: Uint8Array;
  readonly data: Uint8Array;
  readonly method: number;
  readonly descriptor: boolean | 'unsigned';
  readonly flags: number;
  readonly crc: number;
  readonly size: number;
  readonly compressedSize: number;
  readonly headerOffset: number;
}

function measure(entry: ZipEntry, offset: number): ZipRecord {
  const name = toBytes(entry.name);
  const content = toBytes(entry.content);
  const isDirectory = name.at(-1) === 0x2f;
  const stored = entry.method === 'store' || isDirectory;
  const data = entry.data ?? (stored ? content : deflateRawSync(content));
  const lies = entry.lies ?? {};
  const descriptor = entry.descriptor ?? !stored;
  return {
    name,
    localName: lies.localName === undefined ? name : toBytes(lies.localName),
    data,
    method: lies.method ?? (stored ? 0 : 8),
    descriptor,
    flags: flagsOf(name, descriptor) | (lies.flags ?? 0),
    crc: lies.crc32 ?? crc32(content),
    size: lies.size ?? content.byteLength,
    compressedSize: lies.compressedSize ?? data.byteLength,
    headerOffset: lies.headerOffset ?? offset,
  };
}

function localHeader(record: ZipRecord): Uint8Array {
  const header = Buffer.alloc(LOCAL_HEADER + record.localName.byteLength);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(record.flags, 6);
  header.writeUInt16LE(record.method, 8);
  if (record.descriptor === false) writeSizes(header, 14, record);
  header.writeUInt16LE(record.localName.byteLength, 26);
  header.set(record.localName, LOCAL_HEADER);
  return header;
}

function dataDescriptor(record: ZipRecord): Uint8Array {
  const descriptor = Buffer.alloc(16);
  descriptor.writeUInt32LE(0x08074b50, 0);
  writeSizes(descriptor, 4, record);
  return record.descriptor === 'unsigned' ? descriptor.subarray(4) : descriptor;
}

function centralHeader(record: ZipRecord): Uint8Array {
  const header = Buffer.alloc(CENTRAL_HEADER + record.name.byteLength);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(20, 6);
  header.writeUInt16LE(record.flags, 8);
  header.writeUInt16LE(record.method, 10);
  writeSizes(header, 16, record);
  header.writeUInt16LE(record.name.byteLength, 28);
  header.writeUInt32LE(record.headerOffset, 42);
  header.set(record.name, CENTRAL_HEADER);
  return header;
}

function writeSizes(header: Buffer, at: number, record: ZipRecord): void {
  header.writeUInt32LE(record.crc, at);
  header.writeUInt32LE(record.compressedSize, at + 4);
  header.writeUInt32LE(record.size, at + 8);
}

function endRecord(
  directory: { count: number; size: number; offset: number },
  comment = '',
): Uint8Array {
  const text = Buffer.from(comment);
  const record = Buffer.alloc(22 + text.byteLength);
  record.writeUInt32LE(0x06054b50, 0);
  record.writeUInt16LE(directory.count, 8);
  record.writeUInt16LE(directory.count, 10);
  record.writeUInt32LE(directory.size, 12);
  record.writeUInt32LE(directory.offset, 16);
  record.writeUInt16LE(text.byteLength, 20);
  record.set(text, 22);
  return record;
}

function flagsOf(name: Uint8Array, descriptor: boolean | 'unsigned'): number {
  const ascii = name.every((byte) => byte < 0x80);
  return (descriptor === false ? 0 : DESCRIPTOR_FLAG) | (ascii ? 0 : UTF8_FLAG);
}

function toBytes(value: string | Uint8Array): Uint8Array {
  return typeof value === 'string' ? Buffer.from(value) : value;
}

/** A large zip that is generated while it is read. */
export interface BigZip extends StreamedBody {
  /** The go.mod inside, which is also what `.mod` must serve. */
  readonly mod: string;
  /** The `h1:` hash. Generates the whole content once. */
  h1(): string;
}

const BLOCK = 1_048_576;
const BIG_ENTRY_OVERHEAD = LOCAL_HEADER + CENTRAL_HEADER + 2 * 'data/00000.bin'.length;

/**
 * A valid zip of exactly `sizeBytes` bytes below `prefix` ("example.com/big@v1.0.0/"): a go.mod and
 * stored files of at most 1 MiB that do not compress. The same arguments give the same bytes. Only
 * one file is in memory at a time.
 */
export function bigZip(prefix: string, sizeBytes: number): BigZip {
  const mod = `module ${prefix.slice(0, prefix.indexOf('@'))}\n`;
  const overhead = BIG_ENTRY_OVERHEAD + 2 * prefix.length;
  const rest =
    sizeBytes - 22 - (LOCAL_HEADER + CENTRAL_HEADER + 2 * (prefix.length + 6) + mod.length);
  const count = Math.max(1, Math.ceil(rest / (BLOCK + overhead)));
  const content = rest - count * overhead;
  if (content < 0)
    throw new Error(
      `Cannot make a zip of ${sizeBytes} bytes under "${prefix}", its headers alone are larger`,
    );

  function* entries(): Generator<ZipEntry & { content: Uint8Array }> {
    yield { name: `${prefix}go.mod`, content: Buffer.from(mod), method: 'store' };
    const block = noise(BLOCK);
    for (let index = 0; index < count; index++) {
      const length = Math.floor(content / count) + (index < content % count ? 1 : 0);
      const file = Buffer.from(block.subarray(0, length));
      if (length >= 4) file.writeUInt32LE(index, 0);
      yield {
        name: `${prefix}data/${String(index).padStart(5, '0')}.bin`,
        content: file,
        method: 'store',
      };
    }
  }

  return {
    size: sizeBytes,
    mod,
    stream: () => storedZip(entries()),
    h1: () => hashFiles(hashEntries(entries())),
  };
}

function* storedZip(entries: Iterable<ZipEntry>): Generator<Uint8Array> {
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const entry of entries) {
    const record = measure(entry, offset);
    const header = localHeader(record);
    yield header;
    yield record.data;
    directory.push(centralHeader(record));
    offset += header.byteLength + record.data.byteLength;
  }
  const central = Buffer.concat(directory);
  yield central;
  yield endRecord({ count: directory.length, size: central.byteLength, offset });
}

function* hashEntries(entries: Iterable<ZipEntry>): Generator<[name: string, sha256: string]> {
  for (const { name, content } of entries) {
    yield [
      Buffer.from(name).toString('latin1'),
      createHash('sha256').update(content).digest('hex'),
    ];
  }
}

/** Reproducible pseudo-random bytes (xorshift32). */
export function noise(length: number, seed = 0x9e3779b9): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  let state = seed;
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[index] = state;
  }
  return new Uint8Array(words.buffer, 0, length);
}
