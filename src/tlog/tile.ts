/**
 * How a tree is cut into tiles. A tile of height 8 is up to 256 neighbouring nodes of level 8·L,
 * and with them every node above them up to level 8·L+7: those are not stored but computed. The
 * node that a full tile makes together, level 8·(L+1), is one of the 256 of the tile above it, its
 * parent.
 *
 * Source: golang.org/x/mod/sumdb/tlog, tile.go.
 */
import type { HashTile } from './hash-tile.ts';
import { HASH_LENGTH, splitStoredHashIndex, storedHashIndex } from './stored-hash.ts';
import { FULL_WIDTH, HEIGHT, type Tile } from './tile-path.ts';

/** A place where a tree has at most one tile. */
export type TilePosition = Pick<Tile, 'level' | 'index'>;

/** Where the hash of a node comes from: the node `n` that is `height` above the hashes of a tile. */
interface TileNode {
  /** As wide as it has to be to have all that is below the node. */
  readonly tile: Tile;
  readonly height: number;
  readonly n: number;
}

function placeOf(storedIndex: number): TileNode {
  const node = splitStoredHashIndex(storedIndex);
  const level = Math.floor(node.level / HEIGHT);
  const height = node.level - level * HEIGHT;
  const count = 2 ** height;
  const index = Math.floor((node.n * count) / FULL_WIDTH);
  const n = node.n - (index * FULL_WIDTH) / count;
  return { tile: { level, index, width: (n + 1) * count }, height, n };
}

/**
 * The tile with the node of this stored hash index, or with the nodes that it is computed from, as
 * wide as it has to be. Source: golang.org/x/mod/sumdb/tlog TileForIndex.
 */
export function tileForIndex(storedIndex: number): Tile {
  return placeOf(storedIndex).tile;
}

/**
 * The hash of the node with this stored hash index, from the bytes of its tile. Throws `RangeError`
 * if it is in another tile or beyond the width of this one. Source: golang.org/x/mod/sumdb/tlog
 * HashFromTile.
 */
export function hashFromTile(tile: Tile, hashes: HashTile, storedIndex: number): Uint8Array {
  const { tile: own, height, n } = placeOf(storedIndex);
  const isOther = own.level !== tile.level || own.index !== tile.index || own.width > tile.width;
  if (isOther || hashes.bytes.length < tile.width * HASH_LENGTH) {
    throw new RangeError(`Cannot take the stored hash ${storedIndex} from another tile`);
  }
  return hashes.node(height, n);
}

/** The hash above all nodes of a full tile: one of the nodes of its parent. */
export function fullTileHash(hashes: HashTile): Uint8Array {
  if (hashes.bytes.length !== FULL_WIDTH * HASH_LENGTH)
    throw new RangeError('Cannot hash a tile that is not full');
  return hashes.node(HEIGHT, 0);
}

/**
 * The widest tile at this position in a tree of that size, or undefined if the tree has none there.
 * A data tile has as many records as the tile of level 0 has hashes. Source:
 * golang.org/x/mod/sumdb/tlog tileParent.
 */
export function widestTile({ level, index }: TilePosition, treeSize: number): Tile | undefined {
  const nodes = Math.floor(treeSize / FULL_WIDTH ** (level === 'data' ? 0 : level));
  const width = Math.min(nodes - index * FULL_WIDTH, FULL_WIDTH);
  return width > 0 ? { level, index, width } : undefined;
}

/**
 * The hash tile above, as wide as it is in a tree of that size; undefined above the highest one.
 */
export function parentTile({ level, index }: TilePosition, treeSize: number): Tile | undefined {
  if (level === 'data') throw new RangeError('Cannot find a tile of hashes above a data tile');
  return widestTile({ level: level + 1, index: Math.floor(index / FULL_WIDTH) }, treeSize);
}

/** The hash of a full tile of hashes, read from its parent. */
export function hashInParent(child: Tile, parent: Tile, parentHashes: HashTile): Uint8Array {
  if (parent.level === 'data') throw new RangeError('Cannot find a hash in a data tile');
  return hashFromTile(parent, parentHashes, storedHashIndex(parent.level * HEIGHT, child.index));
}
