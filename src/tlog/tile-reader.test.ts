import { describe, expect, it, vi } from 'vitest';
import { seededRandom } from '../../test/fakes/effects/seeded-random.ts';
import { fillerRecords } from '../../test/fakes/sumdb/sumdb.ts';
import { checkTree } from '../../test/fakes/sumdb/proof-check.ts';
import { createLog, type FakeLog } from '../../test/fakes/sumdb/transparency-log.ts';
import { HashTile } from './hash-tile.ts';
import { formatTilePath, parseTilePath, type Tile } from './tile-path.ts';
import {
  InconsistentTile,
  readAuthenticatedHashes,
  readAuthenticatedTile,
  type ReadTiles,
} from './tile-reader.ts';
import { proveTree } from './proof.ts';
import { equalHashes, recordHash, storedHashIndex } from './stored-hash.ts';
import { treeHash } from './tree-hash.ts';
import type { TreeHead } from './tree-head.ts';

// This takes a second or two on an idle machine.
vi.setConfig({ testTimeout: 60_000 });

const RECORDS = fillerRecords(600);
const log = createLog();
for (const lines of RECORDS) log.add(lines);

// A log with three levels of tiles.
const large = createLog();
for (let id = 0; id < 66_000; id++) large.add(`r ${id}\n`);

const headOf = (of: FakeLog, size: number): TreeHead => ({ size, hash: of.treeHash(size) });
const leaf = (id: number) => storedHashIndex(0, id);

/** Reads the tiles of a log, with changes to some by path. */
function readerOf(
  of: FakeLog,
  change: (bytes: Uint8Array, path: string) => Uint8Array = (bytes) => bytes,
) {
  const paths: string[] = [];
  const readTiles: ReadTiles = async (tiles) =>
    tiles.map((tile) => {
      const path = formatTilePath(tile);
      paths.push(path);
      const body = of.answer(`/${path}`);
      if (body === undefined || typeof body === 'string') throw new Error(`no tile ${path}`);
      return new HashTile(change(new Uint8Array(body), path));
    });
  return { paths, readTiles };
}

function tile(path: string): Tile {
  const parsed = parseTilePath(path);
  if (!parsed) throw new Error(`no tile: ${path}`);
  return parsed;
}

const random = seededRandom(4);

describe('in trees of every size up to 600', () => {
  it('records are proven through tiles, and no tile with a changed bit is', async () => {
    const complaints: string[] = [];
    for (let size = 1; size <= 600; size++) {
      const head = headOf(log, size);
      const ids = [0, size - 1, random.below(size)];
      const { paths, readTiles } = readerOf(log);
      const hashes = await readAuthenticatedHashes(head, ids.map(leaf), { readTiles });
      for (const [at, id] of ids.entries()) {
        const isRight = equalHashes(hashes[at] ?? head.hash, recordHash(RECORDS[id] ?? ''));
        if (!isRight) complaints.push(`record ${id} of ${size}`);
      }
      const damaged = random.pick(paths);
      const bad = readerOf(log, (bytes, path) => (path === damaged ? random.damage(bytes) : bytes));
      const error = await readAuthenticatedHashes(head, ids.map(leaf), bad).catch(
        (error: unknown) => error,
      );
      if (!(error instanceof InconsistentTile)) complaints.push(`${damaged} of ${size}`);
    }
    expect(complaints).toEqual([]);
  });

  it('older trees are proven through tiles', async () => {
    for (let newSize = 1; newSize <= 600; newSize++) {
      const oldSize = 1 + random.below(newSize);
      const read = (indexes: readonly number[]) =>
        readAuthenticatedHashes(headOf(log, newSize), indexes, readerOf(log));
      expect(equalHashes(await treeHash(oldSize, read), log.treeHash(oldSize))).toBe(true);
    }
  });

  it('consistency is proven through tiles', async () => {
    for (let newSize = 1; newSize <= 600; newSize += 7) {
      const oldSize = 1 + random.below(newSize);
      const head = headOf(log, newSize);
      const proof = await proveTree(newSize, oldSize, (indexes) =>
        readAuthenticatedHashes(head, indexes, readerOf(log)),
      );
      const claim = { newSize, newHash: head.hash, oldSize, oldHash: log.treeHash(oldSize) };
      expect(checkTree(proof, claim)).toBe(true);
    }
  });
});

describe('the tiles that are read', () => {
  it.each([
    [1, 0, ['0/000.p/1']],
    [256, 0, ['1/000.p/1', '0/000']],
    [257, 0, ['1/000.p/1', '0/001.p/1', '0/000']],
    [600, 599, ['1/000.p/2', '0/002.p/88']],
    [66_000, 3, ['2/000.p/1', '1/001.p/1', '0/257.p/208', '1/000', '0/000']],
    [65_536, 65_535, ['2/000.p/1', '1/000', '0/255']],
  ])(
    'for record %2$d of %1$d are the right edge, and those above the record',
    async (size, id, expected) => {
      const { paths, readTiles } = readerOf(large);
      await readAuthenticatedHashes(headOf(large, size), [leaf(id)], { readTiles });
      expect(paths).toEqual(expected.map((path) => `tile/8/${path}`));
    },
  );

  it('are read once each, also when several hashes need them', async () => {
    const { paths, readTiles } = readerOf(large);
    const indexes = [0, 1, 2, 300, 65_999].map(leaf);
    await readAuthenticatedHashes(headOf(large, 66_000), [...indexes, ...indexes], { readTiles });
    expect(paths.length).toBe(new Set(paths).size);
  });
});

describe('an attack', () => {
  const head = headOf(large, 66_000);
  const EDGE = ['tile/8/2/000.p/1', 'tile/8/1/001.p/1', 'tile/8/0/257.p/208'];
  const ALL = [...EDGE, 'tile/8/1/000', 'tile/8/0/000'];

  it.each(ALL)('that changes any byte of %s is found, and nothing is kept', async (damaged) => {
    for (let run = 0; run < 10; run++) {
      const kept: string[] = [];
      const { readTiles } = readerOf(large, (bytes, path) =>
        path === damaged ? random.damage(bytes) : bytes,
      );
      const error = await readAuthenticatedHashes(head, [leaf(3)], {
        readTiles,
        onAuthenticated: ({ index }) => void kept.push(String(index)),
      }).catch((error: unknown) => error);
      expect(error).toBeInstanceOf(InconsistentTile);
      const suspect = error instanceof InconsistentTile ? formatTilePath(error.tile) : '';
      // Which tile of the right edge is wrong is unknown: the highest is named.
      expect(suspect).toBe(EDGE.includes(damaged) ? EDGE[0] : damaged);
      expect(kept).toEqual([]);
    }
  });

  it.each(ALL)('that makes %s shorter or longer is found', async (damaged) => {
    const changes = [
      (bytes: Uint8Array) => bytes.slice(0, -1),
      (bytes: Uint8Array) => bytes.slice(0, -32),
      (bytes: Uint8Array) => Uint8Array.of(...bytes, 0),
      () => new Uint8Array(),
    ];
    for (const change of changes) {
      const { readTiles } = readerOf(large, (bytes, path) =>
        path === damaged ? change(bytes) : bytes,
      );
      await expect(readAuthenticatedHashes(head, [leaf(3)], { readTiles })).rejects.toMatchObject({
        name: 'InconsistentTile',
        tile: tile(damaged),
        message: expect.stringMatching(/ has \d+ bytes instead of \d+$/),
      });
    }
  });

  it('that leaves out a tile is found', async () => {
    const { readTiles } = readerOf(large);
    const fewer: ReadTiles = async (tiles) => (await readTiles(tiles)).slice(0, -1);
    await expect(readAuthenticatedHashes(head, [leaf(3)], { readTiles: fewer })).rejects.toThrow(
      'has 0 bytes instead of 8192',
    );
  });

  it('with another record, and every tile made to fit it, ends at the right edge', async () => {
    const forged = createLog();
    for (let id = 0; id < 66_000; id++) forged.add(id === 3 ? 'evil\n' : `r ${id}\n`);
    const isOwn = forged.answer('/tile/8/0/257.p/208');
    expect(isOwn).toEqual(large.answer('/tile/8/0/257.p/208'));
    for (const hidden of [ALL.slice(3), ALL.slice(4), ALL]) {
      const readTiles: ReadTiles = (tiles) =>
        Promise.all(
          tiles.map(async (one) => {
            const from = hidden.includes(formatTilePath(one)) ? forged : large;
            const [hashes = new HashTile(new Uint8Array())] = await readerOf(from).readTiles([one]);
            return hashes;
          }),
        );
      await expect(readAuthenticatedHashes(head, [leaf(3)], { readTiles })).rejects.toThrow(
        InconsistentTile,
      );
    }
  });

  it('with the tiles of a fork is found', async () => {
    const fork = log.fork(280);
    for (const lines of RECORDS.slice(300)) fork.add(lines);
    const { readTiles } = readerOf(fork);
    await expect(
      readAuthenticatedHashes(headOf(log, 400), [leaf(0)], { readTiles }),
    ).rejects.toThrow(InconsistentTile);
  });

  it.each([
    ['beyond the tree', leaf(600)],
    ['of a node that is not complete', storedHashIndex(8, 2)],
    ['that is negative', -1],
    ['that is no number', Number.NaN],
  ])('with an index %s reads nothing', async (_, index) => {
    const { paths, readTiles } = readerOf(log);
    const read = readAuthenticatedHashes(headOf(log, 600), [index], { readTiles });
    await expect(read).rejects.toThrow(RangeError);
    expect(paths).toEqual([]);
  });
});

it('every tile that was read is announced once it is proven, parents first', async () => {
  const kept: string[] = [];
  const { paths, readTiles } = readerOf(large);
  const keep = (one: Tile, { bytes }: HashTile) =>
    kept.push(`${formatTilePath(one)} ${bytes.length / one.width}`);
  await readAuthenticatedHashes(headOf(large, 66_000), [leaf(3)], {
    readTiles,
    onAuthenticated: keep,
  });
  expect(kept).toEqual(paths.map((path) => `${path} 32`));
});

it('the empty tree has no hashes, and needs no tiles', async () => {
  const { paths, readTiles } = readerOf(log);
  expect(await readAuthenticatedHashes(headOf(log, 0), [], { readTiles })).toEqual([]);
  await expect(readAuthenticatedHashes(headOf(log, 0), [0], { readTiles })).rejects.toThrow(
    RangeError,
  );
  expect(paths).toEqual([]);
});

describe('a tile', () => {
  const head = headOf(large, 66_000);
  it.each([
    ['tile/8/0/000', 'tile/8/0/000'],
    ['tile/8/0/000.p/7', 'tile/8/0/000'],
    ['tile/8/0/257.p/208', 'tile/8/0/257.p/208'],
    ['tile/8/0/257.p/1', 'tile/8/0/257.p/208'],
    ['tile/8/1/000.p/255', 'tile/8/1/000'],
    ['tile/8/1/001.p/1', 'tile/8/1/001.p/1'],
    ['tile/8/2/000.p/1', 'tile/8/2/000.p/1'],
  ])('%s is proven, and cut from %s', async (path, widest) => {
    const { paths, readTiles } = readerOf(large);
    const bytes = await readAuthenticatedTile(head, tile(path), { readTiles });
    expect(Buffer.from(bytes ?? []).equals(Buffer.from(large.answer(`/${path}`) ?? []))).toBe(true);
    expect(paths).toContain(widest);
    for (const damaged of paths) {
      const bad = readerOf(large, (bytes, path) =>
        path === damaged ? random.damage(bytes) : bytes,
      );
      await expect(readAuthenticatedTile(head, tile(path), bad)).rejects.toThrow(InconsistentTile);
    }
  });

  it.each([
    'tile/8/0/257.p/209',
    'tile/8/0/257',
    'tile/8/0/258.p/1',
    'tile/8/1/001.p/2',
    'tile/8/3/000.p/1',
  ])('%s is beyond the tree, and nothing is read for it', async (path) => {
    const { paths, readTiles } = readerOf(large);
    expect(await readAuthenticatedTile(head, tile(path), { readTiles })).toBeUndefined();
    expect(paths).toEqual([]);
  });

  it('of records has no hashes', async () => {
    const read = readAuthenticatedTile(head, tile('tile/8/data/000'), readerOf(large));
    await expect(read).rejects.toThrow(RangeError);
  });
});
