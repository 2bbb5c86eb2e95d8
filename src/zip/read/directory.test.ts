import { describe, expect, it } from 'vitest';
import { looksLikeZipStart, readDirectory, type Directory } from './directory.ts';
import {
  block64,
  body,
  bytes,
  end,
  end64,
  header,
  join,
  noField,
  pack,
  zip,
  zip64,
} from '../../../test/fakes/zip/forged-directory.ts';

function read(file: Uint8Array): Directory {
  return readDirectory(file, file.length);
}

function names(directory: Directory): string[] | string {
  if (directory.kind === 'complete')
    return directory.entries.map(({ name }) => String.fromCharCode(...name));
  return directory.kind === 'broken' ? directory.reason : `beyond ${directory.start}`;
}

/** A zip of so many entries; `header` alone would take seconds. */
function zipOf(count: number): Uint8Array {
  const one = header();
  const headers = new Uint8Array(one.length * count);
  for (let at = 0; at < headers.length; at += one.length) headers.set(one, at);
  return zip([headers], { records: count % 0x10000 });
}

const two = [header({ name: 'a' }), header({ name: 'bc', offset: 40 })];

describe('readDirectory', () => {
  it('reads every field of an entry', () => {
    const file = zip([header({ name: 'm@v1/\xff', offset: 40 })]);
    expect(read(file)).toEqual({
      kind: 'complete',
      start: 100,
      entries: [
        {
          name: bytes('m@v1/\xff'),
          compressedSize: 5,
          uncompressedSize: 9,
          method: 8,
          crc32: 0xfedcba98,
          flags: 0x800,
          localHeaderOffset: 40,
          directoryOffset: 100,
        },
      ],
    });
  });

  it('reads a zip without entries', () => {
    expect(read(end({ records: 0, size: 0, offset: 0 }))).toEqual({
      kind: 'complete',
      start: 0,
      entries: [],
    });
  });

  it('adds the bytes before the first entry to every offset', () => {
    const directory = read(join(bytes('#!/bin/sh\n'), zip(two)));
    expect(directory).toMatchObject({ kind: 'complete', start: 110 });
    expect(directory).toMatchObject({
      entries: [{ localHeaderOffset: 10 }, { localHeaderOffset: 50 }],
    });
  });

  it('takes the offset rather than the size of the directory if a header is there', () => {
    const directory = read(zip(two, { size: 50 }));
    expect(directory).toMatchObject({
      start: 100,
      entries: [{ localHeaderOffset: 0 }, { localHeaderOffset: 40 }],
    });
  });

  it.each<[claim: string, count: number, records: number]>([
    ['65 535 entries without a zip64 record', 65_535, 65_535],
    ['a count that is right modulo 65536', 65_537, 1],
  ])('accepts %s', (_, count, records) => {
    const file = zip(
      Array.from({ length: count }, () => header()),
      { records },
    );
    expect(names(read(file))).toHaveLength(count);
  });

  it.each<[claim: string, file: Uint8Array, expected: string[] | string]>([
    ['two entries', zip(two), ['a', 'bc']],
    ['duplicates in the order of the directory', zip([header(), header()]), ['a', 'a']],
    ['a comment', join(zip(two, { comment: 5 }), bytes('hello')), ['a', 'bc']],
    [
      'the longest comment',
      join(zip(two, { comment: 0xffff }), new Uint8Array(0xffff)),
      ['a', 'bc'],
    ],
    ['bytes after the comment', join(zip(two), bytes('tail')), ['a', 'bc']],
    [
      'as much after the end record as archive/zip tolerates',
      join(zip(two), new Uint8Array(66_538)),
      ['a', 'bc'],
    ],
    [
      'an entry whose comment swallows half of the end record',
      zip([header({ comment: 20 })]),
      ['a'],
    ],
    ['a zip64 end record', zip64(two), ['a', 'bc']],
    ['no entries with a zip64 end record', zip64([]), []],
    [
      'zip64 sizes and offset',
      zip([header({ uncompressed: 0xffffffff, offset: 0xffffffff, extra: block64(2 ** 33, 40) })]),
      ['a'],
    ],
  ])('accepts %s', (_, file, expected) => {
    expect(names(read(file))).toEqual(expected);
  });

  it('refuses more than 150,000 entries', () => {
    expect(names(read(zipOf(150_000)))).toHaveLength(150_000);
    expect(names(read(zipOf(150_001)))).toBe('Directory has more than 150000 entries');
  });

  it.each<[claim: string, file: Uint8Array, reason: string]>([
    ['an empty file', bytes(''), 'No end of central directory record in the last 0 bytes'],
    [
      'an HTML page',
      bytes('<html></html>'),
      'No end of central directory record in the last 13 bytes',
    ],
    [
      'a zip cut off in its end record',
      zip(two).slice(0, -1),
      'No end of central directory record in the last 216 bytes',
    ],
    [
      'an end record further back than archive/zip looks',
      join(zip(two), new Uint8Array(66_539)),
      'No end of central directory record in the last 66560 bytes',
    ],
    [
      'a comment that is cut off',
      join(zip(two, { comment: 5 }), bytes('hell')),
      'Comment of the end of central directory record at 195 runs past the end of the file',
    ],
    [
      'a forged end record in front of a cut comment',
      join(zip(two), zip([header()], { comment: 9 })),
      'Comment of the end of central directory record at 364 runs past the end of the file',
    ],
    [
      'one entry too few',
      zip(two, { records: 3 }),
      'Directory has 2 entries where the end record counts 3',
    ],
    [
      'one entry too many',
      zip(two, { records: 1 }),
      'Directory has 2 entries where the end record counts 1',
    ],
    [
      'a header that ends with the file, before its name',
      join(zip([header({ comment: 22 })], { comment: 46 }), header().slice(0, 46)),
      'Directory runs to the end of the file',
    ],
    [
      'a directory larger than the file',
      zip(two, { size: 5000 }),
      'Directory of 5000 bytes cannot end at 195',
    ],
    [
      'a local header outside the file',
      zip([header({ offset: 140 })]),
      'Directory header at 100 points outside the file',
    ],
    [
      'an offset that leads before the file',
      zip([header({ offset: 40 })], { offset: 141 }),
      'Directory header at 100 points outside the file',
    ],
    [
      'an entry whose comment swallows the end record',
      zip([header({ comment: 22 })]),
      'Directory runs to the end of the file',
    ],
    [
      'a zip64 record outside the file',
      join(body, end64({ records: 0, size: 0, offset: 0 }, 1000), end(noField)),
      'Zip64 end record lies outside the file',
    ],
    [
      'a zip64 locator that points elsewhere',
      join(body, end64({ records: 0, size: 0, offset: 0 }, 3), end(noField)),
      'No zip64 end record at 3',
    ],
    [
      'a directory beyond 2^53',
      zip64(two, { offset: 2 ** 60 }),
      'Zip64 end record points beyond 2^53',
    ],
    [
      'zip64 markers without a zip64 record',
      zip(two, noField),
      'Directory of 4294967295 bytes cannot end at 195',
    ],
    [
      'a size beyond 2^53',
      zip([header({ uncompressed: 0xffffffff, extra: block64(2 ** 60) })]),
      'Directory header at 100 declares a zip64 size beyond 2^53',
    ],
    [
      'a zip64 block that lacks a number',
      zip([header({ uncompressed: 0xffffffff, compressed: 0xffffffff, extra: block64(7) })]),
      'Directory has 0 entries where the end record counts 1',
    ],
  ])('refuses %s', (_, file, reason) => {
    expect(read(file)).toEqual({ kind: 'broken', reason });
  });

  it('ignores a zip64 record that another disk or a negative offset claims', () => {
    const valid = zip64([]);
    const locator = valid.length - 42;
    expect(read(valid).kind).toBe('complete');
    expect(read(valid.with(locator + 4, 1)).kind).toBe('broken');
    expect(names(read(valid.with(locator + 15, 0x80)))).toBe(
      'Directory of 4294967295 bytes cannot end at 176',
    );
  });

  it('adds the bytes before the first entry to a negative offset too', () => {
    const negative = join(pack([2, 1], [2, 8]), new Uint8Array(8).fill(0xff));
    const file = zip([header({ offset: 0xffffffff, extra: negative })]);
    expect(names(read(file))).toBe('Directory header at 100 points outside the file');
    expect(read(join(bytes('#'), file))).toMatchObject({ entries: [{ localHeaderOffset: 0 }] });
  });

  it.each([0x5455, 1])(
    'ignores the extra field from a block on that does not fit, tag %d',
    (tag) => {
      const extra = join(pack([2, tag], [2, 0xff]), block64(7));
      const directory = read(zip([header({ uncompressed: 0xffffffff, extra })]));
      expect(directory).toMatchObject({ entries: [{ uncompressedSize: 0xffffffff }] });
    },
  );

  it('takes the sizes from the second of two zip64 blocks and the offset from the first', () => {
    const extra = join(block64(7, 40), block64(8, 41));
    expect(
      read(zip([header({ uncompressed: 0xffffffff, offset: 0xffffffff, extra })])),
    ).toMatchObject({
      entries: [{ uncompressedSize: 8, localHeaderOffset: 40 }],
    });
  });

  it.each([
    zip(two),
    zip64(two),
    join(bytes('#!'), zip(two)),
    join(zip(two, { comment: 3000 }), new Uint8Array(3000)),
  ])(
    'needs more of the file for every tail that is too short, and then finds the same (%#)',
    (file) => {
      for (let length = 0; length < file.length; length++) {
        let start = file.length - length;
        let directory = readDirectory(file.subarray(start), file.length);
        while (directory.kind === 'beyond-tail') {
          expect(directory.start).toBeLessThan(start);
          ({ start } = directory);
          directory = readDirectory(file.subarray(start), file.length);
        }
        expect(directory).toEqual(read(file));
      }
    },
  );

  it('never throws, whichever byte is changed or cut off', () => {
    for (const file of [zip(two), zip64([header({ offset: 0xffffffff, extra: block64(40) })])]) {
      for (let at = 0; at < file.length; at++) {
        for (const value of [0, 1, 0x7f, 0xff]) {
          expect(read(file.with(at, value)).kind).toMatch(/^(complete|broken)$/);
          expect(readDirectory(file.with(at, value).subarray(60), file.length)).toBeDefined();
        }
        expect(read(file.subarray(0, at)).kind).toBe('broken');
        expect(read(file.subarray(at)).kind).toMatch(/^(complete|broken)$/);
      }
    }
  });

  it.each([3, -1, 1.5, Number.NaN, 2 ** 60])(
    'refuses a tail of 4 bytes in a file of %d',
    (size) => {
      const reason = `Cannot place a tail of 4 bytes in a file of ${size} bytes`;
      expect(readDirectory(bytes('PK\x05\x06'), size)).toEqual({ kind: 'broken', reason });
    },
  );
});

describe('looksLikeZipStart', () => {
  it.each<[head: string, verdict: boolean]>([
    ['PK\x03\x04rest', true],
    ['PK\x05\x06', true],
    ['PK\x03\x06', false],
    ['PK\x01\x02', false],
    ['PK\x03', false],
    ['', false],
    ['<!doctype html>', false],
  ])('%j: %j', (head, verdict) => {
    expect(looksLikeZipStart(bytes(head))).toBe(verdict);
  });
});
