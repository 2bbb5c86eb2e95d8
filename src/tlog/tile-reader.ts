/**
 * Reads a transparency log through its tiles and trusts none of them: everything that is returned
 * is proven to be in the tree whose hash was signed.
 *
 *                 s3
 *           ┌─────┴─────┐
 *           ·           ·           s2                 <- s3 to s0 are the right edge:
 *        ┌──┴──┐     ┌──┴──┐     ┌──┴──┐                  the complete trees of this tree
 *        ·     ·     ·     ·     ·     ·     s1    s0
 *       00 01 02 03 04 05 06 07 08 09 10 11 12 13 14
 *
 * The tiles of the right edge come first. Together they give the hash of the tree, so if one of
 * them is wrong, another hash comes out. Every partial tile is one of them, and every hash in them
 * counts. Every other tile is full, and the tile above it has its hash. So each further tile is
 * checked against its parent, which was checked before, from the right edge down.
 *
 * A tile is only as good as all those above it: none may be kept before all were checked.
 *
 * Source: golang.org/x/mod/sumdb/tlog, tileHashReader.
 */
import type { HashTile } from './hash-tile.ts';
import { completeTrees, equalHashes, isCount, joinTrees, storedHashIndex } from './stored-hash.ts';
import {
  fullTileHash,
  hashFromTile,
  hashInParent,
  parentTile,
  tileForIndex,
  type TilePosition,
  widestTile,
} from './tile.ts';
import { formatTilePath, type Tile, tileByteLength } from './tile-path.ts';
import type { TreeHead } from './tree-head.ts';

/** Returns the hashes of each tile, in the same order. They need not be right. */
export type ReadTiles = (tiles: readonly Tile[]) => Promise<readonly HashTile[]>;

/** Called with every tile that was proven. */
export type OnAuthenticated = (tile: Tile, hashes: HashTile) => void;

/** How the tiles of a proof are read. */
export interface TileReading {
  readonly readTiles: ReadTiles;
  readonly onAuthenticated?: OnAuthenticated | undefined;
}

/**
 * Thrown when tiles do not belong to the tree: one of them is damaged or forged, or is of another
 * tree.
 */
export class InconsistentTile extends Error {
  override readonly name = 'InconsistentTile';
  /** The tile that did not fit; of several that only fit together, the highest. */
  readonly tile: Tile;

  constructor(tile: Tile, reason: string) {
    super(`${formatTilePath(tile)} ${reason}`);
    this.tile = tile;
  }
}

/**
 * The hashes with these stored hash indexes, proven to be in the tree. One call of `readTiles`.
 * `onAuthenticated` is called for every tile that was read, after all of them were proven. Throws
 * `InconsistentTile`, `RangeError` for an index beyond the tree, and what `readTiles` throws.
 */
export async function readAuthenticatedHashes(
  tree: TreeHead,
  indexes: readonly number[],
  { onAuthenticated, readTiles }: TileReading,
): Promise<readonly Uint8Array[]> {
  // A tree has every node that its last record completed, and those are numbered just before the
  // next record.
  const end = storedHashIndex(0, tree.size);
  const beyond = indexes.find((index) => !isCount(index) || index >= end);
  if (beyond !== undefined) {
    throw new RangeError(`Cannot read the stored hash ${beyond} in a tree of ${tree.size} records`);
  }
  const tiles = await authenticate(tree, indexes.map(tileForIndex), readTiles);
  announce(tiles, onAuthenticated);
  return indexes.map((index) => hashFrom(tiles, index));
}

/**
 * The bytes of a tile of hashes, proven to be in the tree: cut from the widest one there, as a
 * narrower one is not bound to any tree hash. Undefined when the tree has no tile of this width
 * there. Calls and throws as `readAuthenticatedHashes` does.
 */
export async function readAuthenticatedTile(
  tree: TreeHead,
  tile: Tile,
  { onAuthenticated, readTiles }: TileReading,
): Promise<Uint8Array | undefined> {
  const length = tileByteLength(tile);
  if (length === undefined)
    throw new RangeError(`Cannot read ${formatTilePath(tile)}: it has no hashes`);
  const widest = widestTile(tile, tree.size);
  if (!widest || widest.width < tile.width) return undefined;
  const tiles = await authenticate(tree, [tile], readTiles);
  announce(tiles, onAuthenticated);
  const bytes = tiles.get(keyOf(tile))?.hashes.bytes;
  return bytes && new Uint8Array(bytes.subarray(0, length));
}

interface ReadTile {
  readonly tile: Tile;
  readonly hashes: HashTile;
}

/** By position. Parents are before their children. */
type TileSet = ReadonlyMap<string, ReadTile>;

function keyOf({ level, index }: TilePosition): string {
  return `${level}/${index}`;
}

function announce(tiles: TileSet, onAuthenticated: OnAuthenticated = () => {}): void {
  for (const { tile, hashes } of tiles.values()) onAuthenticated(tile, hashes);
}

/** Reads the tiles at these positions, which the tree has, and those that prove them. */
async function authenticate(
  tree: TreeHead,
  positions: readonly TilePosition[],
  readTiles: ReadTiles,
): Promise<TileSet> {
  const edge = completeTrees({ start: 0, end: tree.size }).map(({ level, n }) =>
    storedHashIndex(level, n),
  );
  const edgeTiles = new Map<string, Tile>();
  for (const tile of edge.map(tileForIndex)) {
    edgeTiles.set(keyOf(tile), widestTile(tile, tree.size) ?? tile);
  }
  const planned = new Map(edgeTiles);
  for (const position of positions) {
    for (const tile of missingTiles(position, { planned, treeSize: tree.size }))
      planned.set(keyOf(tile), tile);
  }
  const tiles = await read([...planned.values()], readTiles);
  checkEdge(tiles, edge, tree);
  for (const one of [...tiles.values()].slice(edgeTiles.size))
    checkAgainstParent(one, tiles, tree.size);
  return tiles;
}

/**
 * The tile at a position and those above it, the highest first, up to one that is planned already.
 */
function missingTiles(
  position: TilePosition,
  { planned, treeSize }: { readonly planned: ReadonlyMap<string, Tile>; readonly treeSize: number },
): readonly Tile[] {
  const missing: Tile[] = [];
  let tile = widestTile(position, treeSize);
  while (tile && !planned.has(keyOf(tile))) {
    missing.unshift(tile);
    tile = parentTile(tile, treeSize);
  }
  return missing;
}

async function read(tiles: readonly Tile[], readTiles: ReadTiles): Promise<TileSet> {
  const all = tiles.length === 0 ? [] : await readTiles(tiles);
  const set = new Map<string, ReadTile>();
  for (const [at, tile] of tiles.entries()) {
    const hashes = all[at];
    const found = hashes?.bytes.length ?? 0;
    const length = tileByteLength(tile);
    if (!hashes || found !== length) {
      throw new InconsistentTile(tile, `has ${found} bytes instead of ${length}`);
    }
    set.set(keyOf(tile), { tile, hashes });
  }
  return set;
}

function hashFrom(tiles: TileSet, index: number): Uint8Array {
  const found = tiles.get(keyOf(tileForIndex(index)));
  if (!found) throw new Error(`Cannot find the tile of the stored hash ${index}`);
  return hashFromTile(found.tile, found.hashes, index);
}

/**
 * Throws unless the tiles of the right edge give the hash of the tree. If they do not, it is
 * unknown which of them is wrong.
 */
function checkEdge(tiles: TileSet, edge: readonly number[], { hash, size }: TreeHead): void {
  const [highest] = tiles.values();
  if (!highest) return; // the empty tree
  if (equalHashes(joinTrees(edge.map((index) => hashFrom(tiles, index))), hash)) return;
  throw new InconsistentTile(highest.tile, `or one below it is not of the tree of ${size} records`);
}

/** Throws unless the tile above this full one has its hash. The tile above was checked before. */
function checkAgainstParent({ tile, hashes }: ReadTile, tiles: TileSet, treeSize: number): void {
  const position = parentTile(tile, treeSize);
  const parent = position && tiles.get(keyOf(position));
  if (!parent) throw new Error(`Cannot find the tile above ${formatTilePath(tile)}`);
  if (equalHashes(fullTileHash(hashes), hashInParent(tile, parent.tile, parent.hashes))) return;
  throw new InconsistentTile(tile, `is not of the tree of ${treeSize} records`);
}
