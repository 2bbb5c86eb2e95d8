import { describe, expect, it } from 'vitest';
import { createLog } from '../../test/fakes/sumdb/transparency-log.ts';
import { fillerRecords } from '../../test/fakes/sumdb/sumdb.ts';
import { HashTile } from './hash-tile.ts';
import { storedHashIndex } from './stored-hash.ts';
import {
  fullTileHash,
  hashFromTile,
  hashInParent,
  parentTile,
  tileForIndex,
  widestTile,
} from './tile.ts';
import { formatTilePath, parseTilePath, type Tile } from './tile-path.ts';

const log = createLog();
for (const lines of fillerRecords(600)) log.add(lines);

function tile(path: string): Tile {
  const parsed = parseTilePath(path);
  if (!parsed) throw new Error(`no tile: ${path}`);
  return parsed;
}
const bytesOf = (path: string) => Buffer.from(log.answer(`/${path}`) ?? []);
const hashesOf = (path: string) => new HashTile(bytesOf(path));

describe('the tile of a stored hash', () => {
  it.each([
    [0, 0, 'tile/8/0/000.p/1'],
    [0, 255, 'tile/8/0/000'],
    [1, 0, 'tile/8/0/000.p/2'],
    [7, 0, 'tile/8/0/000.p/128'],
    [7, 1, 'tile/8/0/000'],
    [8, 0, 'tile/8/1/000.p/1'],
    [0, 256, 'tile/8/0/001.p/1'],
    [0, 49_516_585, 'tile/8/0/x193/424.p/42'],
    [3, 2 ** 23, 'tile/8/0/x262/144.p/8'],
    [0, 2 ** 32 - 1, 'tile/8/0/x016/x777/215'],
    [0, 2 ** 32, 'tile/8/0/x016/x777/216.p/1'],
    [8, 2 ** 24, 'tile/8/1/x065/536.p/1'],
    [32, 0, 'tile/8/4/000.p/1'],
    [39, 0, 'tile/8/4/000.p/128'],
    [40, 0, 'tile/8/5/000.p/1'],
    [0, 2 ** 40 + 257, 'tile/8/0/x004/x294/x967/297.p/2'],
    [48, 1, 'tile/8/6/000.p/2'],
  ])('of node %d:%d is %s', (level, n, path) => {
    expect(formatTilePath(tileForIndex(storedHashIndex(level, n)))).toBe(path);
  });
});

describe('a hash from a tile', () => {
  it.each([
    [0, 0, 'tile/8/0/000', 0, 1],
    [0, 255, 'tile/8/0/000', 255, 256],
    [1, 3, 'tile/8/0/000', 6, 8],
    [7, 1, 'tile/8/0/000', 128, 256],
    [4, 17, 'tile/8/0/001', 272, 288],
    [6, 8, 'tile/8/0/002.p/88', 512, 576],
    [8, 1, 'tile/8/1/000.p/2', 256, 512],
    [9, 0, 'tile/8/1/000.p/2', 0, 512],
  ])('node %d:%d of %s is the hash of the records %d to %d', (level, n, path, start, end) => {
    // The node above these records is the root of a log of these records alone.
    const part = createLog();
    for (const lines of fillerRecords(600).slice(start, end)) part.add(lines);
    const hash = hashFromTile(tile(path), hashesOf(path), storedHashIndex(level, n));
    expect(Buffer.from(hash).toString('hex')).toBe(Buffer.from(part.treeHash()).toString('hex'));
  });

  it('leaves the tile as it is, though it is a Buffer, whose slice is no copy', () => {
    const bytes = bytesOf('tile/8/0/000');
    const before = bytes.toString('hex');
    const hash = fullTileHash(new HashTile(bytes));
    const parent = tile('tile/8/1/000.p/2');
    expect(hash).toEqual(hashInParent(tile('tile/8/0/000'), parent, hashesOf('tile/8/1/000.p/2')));
    expect(bytes.toString('hex')).toBe(before);
  });

  it.each([
    ['another level', 'tile/8/1/000.p/2', 0, 0],
    ['another index', 'tile/8/0/001', 0, 0],
    ['beyond its width', 'tile/8/0/002.p/88', 0, 600],
    ['partly beyond its width', 'tile/8/0/002.p/88', 5, 18],
  ])('of %s is refused', (_, path, level, n) => {
    expect(() => hashFromTile(tile(path), hashesOf(path), storedHashIndex(level, n))).toThrow(
      RangeError,
    );
  });

  it('of a truncated tile is refused', () => {
    const bytes = bytesOf('tile/8/0/002.p/88').subarray(1);
    expect(() =>
      hashFromTile(tile('tile/8/0/002.p/88'), new HashTile(bytes), storedHashIndex(0, 512)),
    ).toThrow(RangeError);
    expect(() => fullTileHash(new HashTile(bytes))).toThrow(RangeError);
  });
});

describe('the widest tile', () => {
  it.each([
    [0, 0, 0, undefined],
    [0, 0, 1, 'tile/8/0/000.p/1'],
    [0, 0, 255, 'tile/8/0/000.p/255'],
    [0, 0, 256, 'tile/8/0/000'],
    [0, 1, 256, undefined],
    [0, 1, 257, 'tile/8/0/001.p/1'],
    [1, 0, 255, undefined],
    [1, 0, 65_535, 'tile/8/1/000.p/255'],
    [1, 0, 65_536, 'tile/8/1/000'],
    ['data', 1, 300, 'tile/8/data/001.p/44'],
    [0, 193_424, 49_516_586, 'tile/8/0/x193/424.p/42'],
    [3, 0, 49_516_586, 'tile/8/3/000.p/2'],
    [0, 2 ** 24, 2 ** 32 + 7, 'tile/8/0/x016/x777/216.p/7'],
    [4, 0, 2 ** 32 + 7, 'tile/8/4/000.p/1'],
    [4, 0, 2 ** 40 + 7, 'tile/8/4/000'],
    [4, 1, 2 ** 40 + 2 ** 33, 'tile/8/4/001.p/2'],
    [6, 0, Number.MAX_SAFE_INTEGER, 'tile/8/6/000.p/31'],
    [7, 0, Number.MAX_SAFE_INTEGER, undefined],
    [0, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, undefined],
  ] as const)('of level %s and index %d in %d records is %s', (level, index, size, path) => {
    const widest = widestTile({ level, index }, size);
    expect(widest && formatTilePath(widest)).toBe(path);
  });

  it.each([
    ['tile/8/0/000', 256, 'tile/8/1/000.p/1'],
    ['tile/8/0/x193/423', 49_516_586, 'tile/8/1/755.p/144'],
    ['tile/8/0/x016/x777/215', 2 ** 32, 'tile/8/1/x065/535'],
    ['tile/8/3/000', 2 ** 32, 'tile/8/4/000.p/1'],
  ])('above %s in %d records is %s', (path, size, parent) => {
    const above = parentTile(tile(path), size);
    expect(above && formatTilePath(above)).toBe(parent);
  });
});
