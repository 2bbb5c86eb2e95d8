import { describe, expect, it } from 'vitest';
import { hashZip as hashIndependently } from '../../../test/fakes/zip/dirhash.ts';
import { join } from '../../../test/fakes/zip/forged-directory.ts';
import {
  emptyDeflate,
  overlapping,
  PREFIX,
  randomZip,
  toZip64,
} from '../../../test/fakes/zip/forged-zip.ts';
import {
  noise,
  writeZip,
  type ZipEntry,
  type ZipOptions,
} from '../../../test/fakes/zip/zip-writer.ts';
import { hashZip } from './hash-zip.ts';
import { MAX_DIRECTORY_BYTES } from '../read/load-directory.ts';
import { bytesSource } from '../../bytes/byte-source.ts';

/** The hash, or the reason why there is none. */
async function verdict(zip: Uint8Array): Promise<string> {
  const hashed = await hashZip(bytesSource(zip));
  return hashed.kind === 'hashed' ? hashed.h1 : hashed.reason;
}

const verdictOf = (entries: ZipEntry[], options?: ZipOptions) =>
  verdict(writeZip(entries, options));

const MOD = { name: 'm.example/a@v1.0.0/go.mod', content: 'module m.example/a\n' };
const A = { name: `${PREFIX}a.go`, content: 'package a\n' };
const ENTRY = `entry "${PREFIX}a.go"`;
const refuse = () => 'not this one';
const LARGE = noise(3 * 1024 * 1024 + 7);

describe('hashZip', () => {
  // Go and an independent implementation agree on these.
  it.each<[claim: string, entries: ZipEntry[], h1: string]>([
    ['no entries', [], 'h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='],
    ['one file', [MOD], 'h1:av9yrO0xLWnLKVvGRll67xVmZK5YdpKqAxvW138cawU='],
    [
      'two files',
      [
        { name: 'example.com/dep@v1.0.0/go.mod', content: 'module example.com/dep\n\ngo 1.18\n' },
        { name: 'example.com/dep@v1.0.0/dep.go', content: 'package dep\n\nconst X = 1\n' },
      ],
      'h1:QQuvzL5w/S0+aEY5ifubzBeiPqBG9dYkl8Kd0zphti8=',
    ],
    [
      'a directory entry',
      [MOD, { name: 'm.example/a@v1.0.0/', content: '' }],
      'h1:ue4hDrqpJQXR9e4+W8EpRLxqEG1X+9lr37KVgUx6jEg=',
    ],
    [
      'names whose byte order is not their UTF-16 order',
      [
        { name: 'm.example/a@v1.0.0/\u{10400}.txt', content: '2\n' },
        { name: 'm.example/a@v1.0.0/\uFB00.txt', content: '1\n', method: 'store' },
        MOD,
      ],
      'h1:AobGciS9+Tj3wK7lwx8zNSSzA0fwcyAyfT7+pewVZjQ=',
    ],
  ])('gives the hash that Go gives for a zip with %s', async (_, entries, h1) => {
    expect(await verdictOf(entries)).toBe(h1);
  });

  it.each<[claim: string, entries: ZipEntry[], options?: ZipOptions]>([
    ['a name twice, by its last content both times', [A, { ...A, content: 'other' }, MOD]],
    [
      'names that are not UTF-8',
      [A, { ...A, name: Uint8Array.of(0xff) }, { ...A, name: Uint8Array.of(0xfe) }],
    ],
    ['a name in the local header that is another one', [{ ...A, lies: { localName: '../x' } }]],
    ['a data descriptor without signature', [{ ...A, descriptor: 'unsigned' }]],
    ['a data descriptor after a stored file', [{ ...A, method: 'store', descriptor: true }]],
    ['a deflated file without data descriptor', [{ ...A, descriptor: false }]],
    ['the flag of encryption, which archive/zip ignores', [{ ...A, lies: { flags: 1 } }]],
    ['no CRC-32 and no data descriptor', [{ ...A, method: 'store', lies: { crc32: 0 } }]],
    ['an empty file', [{ ...A, content: '' }]],
    ['an empty stored file', [{ ...A, content: '', method: 'store' }]],
    ['a large deflated file', [A, { ...MOD, content: LARGE }]],
    ['a large stored file', [A, { ...MOD, content: LARGE, method: 'store' }, { ...A, name: 'z' }]],
    ['a large file that deflates well', [{ ...A, content: new Uint8Array(9_000_000) }]],
  ])('accepts %s', async (_, entries, options) => {
    const zip = writeZip(entries, options);
    expect(await verdict(zip)).toBe(hashIndependently(zip));
  });

  it('accepts zip64, a comment, and bytes before and after the zip', async () => {
    const zip = writeZip([A, MOD]);
    const h1 = hashIndependently(zip);
    expect(await verdict(toZip64(zip))).toBe(h1);
    expect(await verdict(join(zip, noise(1000)))).toBe(h1);
    expect(await verdictOf([A, MOD], { comment: 'hello', preamble: noise(1000) })).toBe(h1);
  });

  it('ignores what follows the end of a deflate stream, also of a large one', async () => {
    for (const content of ['', LARGE]) {
      const plain = writeZip([{ ...A, content }]);
      const data = join(content === '' ? Uint8Array.of(3, 0) : deflated(plain), noise(5000));
      expect(await verdictOf([{ ...A, content, data }])).toBe(hashIndependently(plain));
    }
  });

  it('accepts a stored file up to the end of the zip whose declared size runs past it', async () => {
    const forge = (size: number) =>
      writeZip([{ ...A, method: 'store', lies: { crc32: 0, compressedSize: 1e9, size } }]);
    const zip = forge(forge(0).length - 30 - A.name.length);
    expect(await verdict(zip)).toBe(hashIndependently(zip));
  });

  it('accepts a directory with a compressed size, as the jar tool of Java writes it', async () => {
    const jar = { name: PREFIX, content: '', data: Uint8Array.of(3, 0), lies: { method: 8 } };
    expect(await verdictOf([jar])).toBe(await verdictOf([{ name: PREFIX, content: '' }]));
  });

  it.each<[claim: string, entry: Partial<ZipEntry>, reason: string]>([
    ['declares less than it has', { lies: { size: 9 } }, `${ENTRY} declares 9 bytes and has more`],
    ['declares more than it has', { lies: { size: 12 } }, `${ENTRY} declares 12 bytes and has 10`],
    [
      'is stored and declares less',
      { method: 'store', lies: { size: 9 } },
      `${ENTRY} declares 9 bytes and has 10`,
    ],
    [
      'is stored and declares more',
      { method: 'store', lies: { size: 12 } },
      `${ENTRY} declares 12 bytes and has 10`,
    ],
    [
      'is large and declares less',
      { content: LARGE, lies: { size: 2e6 } },
      `${ENTRY} declares 2000000 bytes and has more`,
    ],
    [
      'is large and declares more',
      { content: LARGE, lies: { size: 4e6 } },
      `${ENTRY} declares 4000000 bytes and has 3145735`,
    ],
    [
      'has another CRC-32',
      { descriptor: false, lies: { crc32: 1 } },
      `${ENTRY} has CRC-32 c93242c5 where 00000001 is declared`,
    ],
    [
      'has another CRC-32 and a data descriptor',
      { lies: { crc32: 0 } },
      `${ENTRY} has CRC-32 c93242c5 where 00000000 is declared`,
    ],
    [
      'has no data descriptor',
      { method: 'store', lies: { flags: 8 } },
      expect.stringMatching(/in its data descriptor/),
    ],
    [
      'is large and has another CRC-32',
      { content: LARGE, lies: { crc32: 1 } },
      expect.stringMatching(/where 00000001 is/),
    ],
    [
      'is compressed by bzip2',
      { lies: { method: 12 } },
      `${ENTRY} is compressed by method 12, which Go does not read`,
    ],
    ['is no deflate data', { data: Uint8Array.of(7, 7) }, `${ENTRY} holds damaged deflate data`],
    [
      'is truncated',
      { data: Uint8Array.of(0x4b, 0x4c) },
      `${ENTRY} holds deflate data that ends too early`,
    ],
    [
      'is deflated and empty',
      { data: new Uint8Array() },
      `${ENTRY} holds deflate data that ends too early`,
    ],
    [
      'is large and truncated',
      { data: noise(2e6), lies: { compressedSize: 3, size: 2e6 } },
      expect.stringMatching(/ holds /),
    ],
    ['has no local header', { lies: { headerOffset: 1 } }, `${ENTRY} has no local header at 1`],
    [
      'is a directory with content',
      { name: PREFIX },
      `entry "${PREFIX}" is a directory and declares 10 bytes`,
    ],
    [
      'has a line feed in its name',
      { name: 'a\nb' },
      'entry "a\ufffdb" has a line feed in its name',
    ],
  ])('refuses an entry that %s', async (_, entry, reason) => {
    expect(await verdictOf([{ ...A, ...entry }, MOD])).toEqual(reason);
  });

  it.each<[claim: string, zip: Uint8Array, reason: RegExp]>([
    ['no bytes', new Uint8Array(), /^No end of central directory record/],
    ['no zip', new TextEncoder().encode('<!doctype html>'), /^No end of central directory record/],
    ['a truncated zip', writeZip([A, MOD]).subarray(0, -30), /^No end of central directory record/],
    [
      'the end of a zip',
      writeZip([{ ...A, content: LARGE }, MOD]).subarray(1_000_000),
      /points outside|no local header/,
    ],
    [
      'sizes beyond the limits of Go',
      writeZip([{ ...A, lies: { size: 500 * 2 ** 20 } }, MOD]),
      /over Go's limit of 524288000$/,
    ],
  ])('refuses %s', async (_, zip, reason) => {
    expect(await verdict(zip)).toMatch(reason);
  });

  it('refuses entries that share their data before it reads any of it', async () => {
    const zip = overlapping(1000, { content: new Uint8Array(), data: emptyDeflate(1_000_000) });
    const reads: number[] = [];
    const hashed = await hashZip(recording(zip, reads));
    expect(hashed).toMatchObject({
      reason: expect.stringMatching(/^entries overlap: they take \d{9,} bytes/),
    });
    expect(reads.length).toBeLessThan(3);
  });

  it('reads a directory larger than the first tail, and refuses one that would fill the memory', async () => {
    const name = 'x'.repeat(60_000);
    const many = (count: number) =>
      writeZip(
        Array.from({ length: count }, (_, index) => ({
          name: `${name}${index}`,
          content: '',
          method: 'store',
        })),
      );
    expect(await verdict(many(10))).toBe(hashIndependently(many(10)));
    const tooMany = many(Math.ceil(MAX_DIRECTORY_BYTES / 60_000));
    expect(await verdict(tooMany)).toMatch(
      /^Directory is in the last \d+ bytes, more than the 16777216/,
    );
  });

  it('calls the check before it reads content, and returns its reason', async () => {
    const reads: number[] = [];
    expect(await hashZip(recording(writeZip([A]), reads), { check: refuse })).toEqual({
      kind: 'broken',
      reason: 'not this one',
    });
    expect(reads).toHaveLength(1);
    expect(await hashZip(bytesSource(writeZip([A])), { check: () => undefined })).toMatchObject({
      kind: 'hashed',
    });
  });

  it('rejects when the source does, whichever read it is', async () => {
    const zip = writeZip([
      A,
      { ...MOD, content: noise(9_000_000) },
      { ...A, name: 'z', content: noise(9_000_000) },
    ]);
    const reads: number[] = [];
    await hashZip(recording(zip, reads));
    for (let failing = 0; failing < reads.length; failing++) {
      const source = recording(zip, []);
      let left = failing;
      const read = (offset: number, length: number) =>
        left-- === 0 ? Promise.reject(new Error('disk')) : source.read(offset, length);
      await expect(hashZip({ size: zip.length, read })).rejects.toThrow('disk');
    }
    await expect(
      hashZip({ size: zip.length, read: async () => new Uint8Array(3) }),
    ).rejects.toThrow('and got 3');
  });

  it('gives one hash for a file however it is read, or a reason, and never throws', async () => {
    for (let seed = 1; seed <= 300; seed++) {
      expect(await verdict(randomZip(seed))).toMatch(/^(h1:[\w+/]{43}=|.{10,})$/s);
    }
  });
});

/** A source that notes the length of each read. */
function recording(zip: Uint8Array, reads: number[]) {
  const source = bytesSource(zip);
  return {
    size: zip.length,
    read(offset: number, length: number) {
      reads.push(length);
      return source.read(offset, length);
    },
  };
}

/** The stored form of the only entry of a zip, as `writeZip` makes it. */
function deflated(zip: Uint8Array): Uint8Array {
  const bytes = Buffer.from(zip);
  const central = bytes.readUInt32LE(bytes.length - 6);
  const start = 30 + bytes.readUInt16LE(26);
  return bytes.subarray(start, start + bytes.readUInt32LE(central + 20));
}
