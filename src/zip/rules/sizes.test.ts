import { describe, expect, it } from 'vitest';
import type { Entry } from '../read/directory-header.ts';
import { findOverlap, findOversizedFile, findOversizedZip, MAX_ZIP_BYTES } from './sizes.ts';

const MIB = 2 ** 20;

function entry(fields: Partial<Entry>): Entry {
  return {
    name: new Uint8Array(),
    compressedSize: 0,
    uncompressedSize: 0,
    method: 0,
    crc32: 0,
    flags: 0,
    localHeaderOffset: 0,
    directoryOffset: 0,
    ...fields,
  };
}

describe('the limits of Go', () => {
  it.each(['go.mod', 'LICENSE'])('are 16 MiB for %s at the root', (path) => {
    expect(findOversizedFile(path, { uncompressedSize: 16 * MIB })).toBeUndefined();
    expect(findOversizedFile(path, { uncompressedSize: 16 * MIB + 1 })).toBe(
      "declares 16777217 bytes, over Go's limit of 16777216 for this file",
    );
  });

  it.each(['a/LICENSE', 'license', 'main.go'])('for single files do not apply to %s', (path) => {
    expect(findOversizedFile(path, { uncompressedSize: 17 * MIB })).toBeUndefined();
  });

  it('are 500 MiB for the zip and for the declared content of all entries', () => {
    const half = entry({ uncompressedSize: MAX_ZIP_BYTES / 2 });
    expect(findOversizedZip([half, half], MAX_ZIP_BYTES)).toBeUndefined();
    expect(findOversizedZip([], MAX_ZIP_BYTES + 1)).toMatch(/^zip of 524288001 bytes/);
    expect(findOversizedZip([half, half, entry({ uncompressedSize: 1 })], 0)).toMatch(
      /^entries declare 524288001 bytes in all/,
    );
  });
});

describe('entries overlap', () => {
  it('if their stored forms take more than the file', () => {
    const shared = entry({ compressedSize: 60, localHeaderOffset: 10 });
    expect(findOverlap([shared], 100)).toBeUndefined();
    expect(findOverlap([shared, shared], 100)).toBe(
      'entries overlap: they take 120 bytes in a file of 100',
    );
  });

  it('not if a single size runs past the end of the file', () => {
    const long = entry({ compressedSize: 1000, localHeaderOffset: 10 });
    expect(findOverlap([long], 100)).toBeUndefined();
  });
});
