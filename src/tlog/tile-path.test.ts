import { describe, expect, it } from 'vitest';
import { formatTilePath, parseTilePath, tileByteLength, type Tile } from './tile-path.ts';

const named: readonly (readonly [path: string, tile: Tile, bytes: number | undefined])[] = [
  ['tile/8/0/000', { level: 0, index: 0, width: 256 }, 8192],
  ['tile/8/0/000.p/29', { level: 0, index: 0, width: 29 }, 928],
  ['tile/8/0/000.p/1', { level: 0, index: 0, width: 1 }, 32],
  ['tile/8/0/000.p/255', { level: 0, index: 0, width: 255 }, 8160],
  ['tile/8/0/999', { level: 0, index: 999, width: 256 }, 8192],
  ['tile/8/0/x001/000', { level: 0, index: 1000, width: 256 }, 8192],
  ['tile/8/0/x001/x234/067', { level: 0, index: 1_234_067, width: 256 }, 8192],
  ['tile/8/0/x193/424.p/42', { level: 0, index: 193_424, width: 42 }, 1344],
  ['tile/8/0/x001/x000/000', { level: 0, index: 1_000_000, width: 256 }, 8192],
  ['tile/8/7/000.p/3', { level: 7, index: 0, width: 3 }, 96],
  ['tile/8/data/000.p/7', { level: 'data', index: 0, width: 7 }, undefined],
  ['tile/8/data/x012/345', { level: 'data', index: 12_345, width: 256 }, undefined],
  ['tile/8/0/x004/x294/x967/296', { level: 0, index: 2 ** 32, width: 256 }, 8192],
  [
    'tile/8/0/x009/x007/x199/x254/x740/991',
    { level: 0, index: Number.MAX_SAFE_INTEGER, width: 256 },
    8192,
  ],
];

const invalid: readonly (readonly [claim: string, path: string])[] = [
  ['a width of zero', 'tile/8/0/000.p/0'],
  ['a full tile that is spelled as a partial one', 'tile/8/0/000.p/256'],
  ['a width above that of the full tile', 'tile/8/0/000.p/257'],
  ['a width with a leading zero', 'tile/8/0/000.p/01'],
  ['a negative width', 'tile/8/0/000.p/-1'],
  ['a width with a plus sign', 'tile/8/0/000.p/+1'],
  ['a width of four digits', 'tile/8/0/000.p/1000'],
  ['no width after .p', 'tile/8/0/000.p/'],
  ['.p without a slash', 'tile/8/0/000.p'],
  ['two widths', 'tile/8/0/000.p/1.p/1'],
  ['an index of one digit', 'tile/8/0/1'],
  ['an index of four digits', 'tile/8/0/1234'],
  ['a first group without x', 'tile/8/0/001/234'],
  ['a last group with x', 'tile/8/0/x001'],
  ['a superfluous first group', 'tile/8/0/x000/001'],
  ['an index that is no safe integer', 'tile/8/0/x009/x007/x199/x254/x740/992'],
  ['an index that 64 bits wrap around to 0', 'tile/8/0/x018/x446/x744/x073/x709/x551/616'],
  ['an index of a million digits', `tile/8/0/${'x999/'.repeat(333_333)}999`],
  ['digits of another script', 'tile/8/0/٠٠٠'],
  ['a padded height', 'tile/08/0/000'],
  ['a padded level', 'tile/8/00/000'],
  ['a negative level', 'tile/8/-1/000'],
  ['a level that no log reaches', 'tile/8/8/000'],
  ['height 0', 'tile/0/0/000'],
  ['height 31', 'tile/31/0/000'],
  ['a valid height other than 8', 'tile/3/4/x001/x234/067.p/1'],
  ['a slash at the end', 'tile/8/0/000/'],
  ['a slash at the start', '/tile/8/0/000'],
  ['an escaped parent directory', 'tile/8/0/..%2f000'],
  ['a parent directory', 'tile/8/0/../000'],
  ['a line break at the end', 'tile/8/0/000\n'],
  ['no index', 'tile/8/0'],
  ['nothing', ''],
];

describe('parseTilePath', () => {
  it.each(named)('reads %s', (path, tile) => {
    expect(parseTilePath(path)).toEqual(tile);
  });

  it.each(invalid)('refuses %s', (_, path) => {
    expect(parseTilePath(path)).toBeUndefined();
  });
});

describe('formatTilePath', () => {
  it.each(named)('writes %s', (path, tile) => {
    expect(formatTilePath(tile)).toBe(path);
  });
});

describe('tileByteLength', () => {
  it.each(named)('gives the length of %s', (_, tile, bytes) => {
    expect(tileByteLength(tile)).toBe(bytes);
  });
});
