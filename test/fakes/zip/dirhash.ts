import { createHash } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';

// The h1: hash of golang.org/x/mod/sumdb/dirhash, implemented a second time on purpose: it shares
// no code with src/, so that it does not repeat an error of src/. Names are Latin-1 strings of
// their bytes, so that comparing strings compares bytes; decoded names would compare by UTF-16 code
// units.

export interface ZipFile {
  /** The bytes of the name as a Latin-1 string, which equals an ASCII name. */
  readonly name: string;
  readonly content: Uint8Array;
}

/**
 * The entries of a zip, by its central directory. Throws for bytes that are no zip. Supports stored
 * and deflated entries.
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
 * The `h1:` hash of a module zip. A duplicate name is hashed twice, with its last content, as in
 * Go.
 */
export function hashZip(zip: Uint8Array): `h1:${string}` {
  const files = readZip(zip);
  const sums = new Map(files.map(({ name, content }) => [name, sha256(content)]));
  return hashFiles(files.map(({ name }) => [name, sums.get(name) ?? '']));
}

/** The `h1:` hash of a go.mod, for the `/go.mod` line of go.sum. */
export function hashGoMod(mod: string | Uint8Array): `h1:${string}` {
  return hashFiles([['go.mod', sha256(mod)]]);
}

/** The `h1:` hash of files, given by name (a Latin-1 string) and SHA-256 in hex. */
export function hashFiles(sums: Iterable<readonly [name: string, sha256: string]>): `h1:${string}` {
  const hash = createHash('sha256');
  const byName = [...sums].toSorted(([a], [b]) => (a < b ? -1 : Number(a > b)));
  for (const [name, sum] of byName) hash.update(`${sum}  ${name}\n`, 'latin1');
  return `h1:${hash.digest('base64')}`;
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}
