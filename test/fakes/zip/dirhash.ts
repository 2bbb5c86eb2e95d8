import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';

// The h1: hash of golang.org/x/mod/sumdb/dirhash, written a second time and on purpose not shared
// with src/, so that an error there is not confirmed by the same error here. Names are handled as
// Latin-1 strings of their bytes: comparing those compares bytes, where JavaScript's own order of
// the decoded names would be UTF-16.

export interface ZipFile {
  /** The name's bytes as a Latin-1 string; equal to the name where that is ASCII. */
  readonly name: string;
  readonly content: Uint8Array;
}

/**
 * The entries of a zip by its central directory. Throws on what is no zip; only stored and deflated
 * entries.
 */
export function readZip(zip: Uint8Array): ZipFile[] {
  const bytes = Buffer.from(zip.buffer, zip.byteOffset, zip.byteLength);
  const end = bytes.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  if (end < 0) throw new Error('Cannot read zip: no end record');
  const files: ZipFile[] = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let left = bytes.readUInt16LE(end + 10); left > 0; left--) {
    const nameEnd = at + 46 + bytes.readUInt16LE(at + 28);
    files.push({
      name: bytes.toString('latin1', at + 46, nameEnd),
      content: readContent(bytes, at),
    });
    at = nameEnd + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return files;
}

function readContent(bytes: Buffer, central: number): Uint8Array {
  const header = bytes.readUInt32LE(central + 42);
  const start = header + 30 + bytes.readUInt16LE(header + 26) + bytes.readUInt16LE(header + 28);
  const data = bytes.subarray(start, start + bytes.readUInt32LE(central + 20));
  return bytes.readUInt16LE(central + 10) === 0 ? data : inflateRawSync(data);
}

/**
 * The `h1:` hash of a module zip. A name that occurs twice is hashed twice with its last content,
 * as Go does.
 */
export function hashZip(zip: Uint8Array): string {
  const files = readZip(zip);
  const sums = new Map(files.map(({ name, content }) => [name, sha256(content)]));
  return hashFiles(files.map(({ name }) => [name, sums.get(name) ?? '']));
}

/** The `h1:` hash of a go.mod, for the `/go.mod` line of go.sum. */
export function hashGoMod(mod: string | Uint8Array): string {
  return hashFiles([['go.mod', sha256(mod)]]);
}

/** The `h1:` hash over names (as Latin-1 strings) and the SHA-256 of their contents in hex. */
export function hashFiles(sums: Iterable<readonly [name: string, sha256: string]>): string {
  const hash = createHash('sha256');
  const byName = [...sums].toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)));
  for (const [name, sum] of byName) hash.update(`${sum}  ${name}\n`, 'latin1');
  return `h1:${hash.digest('base64')}`;
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
