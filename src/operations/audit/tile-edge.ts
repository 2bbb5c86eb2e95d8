import { HashTile } from '../../tlog/hash-tile.ts';
import { equalHashes, HASH_LENGTH } from '../../tlog/stored-hash.ts';
import { FULL_WIDTH, type Tile } from '../../tlog/tile-path.ts';
import { fullTileHash, widestTile } from '../../tlog/tile.ts';
import type { TreeHead } from '../../tlog/tree-head.ts';

export interface Suspect {
  /** A tile of hashes. */
  readonly tile: Tile;
  readonly bytes: Uint8Array;
  /** The tree whose right edge does not make its hash. */
  readonly head: TreeHead;
  /** A stored tile of the right length. */
  readonly read: (tile: Tile) => Promise<Uint8Array | undefined>;
}

/**
 * Whether a tile is to be taken for the wrong one of a right edge: it is on that edge, the full
 * tiles below it do not confirm it, and they contradict no other one. Of several that nothing is
 * known about, each is.
 */
export async function findCulprit({ tile, bytes, head, read }: Suspect): Promise<boolean> {
  const edge = edgeOf(head.size);
  if (!edge.some((one) => isSame(one, tile))) return false;
  const own = await compareBelow(tile, bytes, read);
  if (own !== 'open') return own === 'contradicted';
  for (const other of edge.filter((one) => !isSame(one, tile))) {
    const theirs = await read(other);
    if (theirs && (await compareBelow(other, theirs, read)) === 'contradicted') return false;
  }
  return true;
}

/** The partial tiles of a tree, and the highest one. */
function edgeOf(size: number): readonly Tile[] {
  const edge: Tile[] = [];
  for (let level = 0, nodes = size; nodes > 0; level += 1, nodes = Math.floor(nodes / FULL_WIDTH)) {
    const tile = widestTile({ level, index: Math.floor((nodes - 1) / FULL_WIDTH) }, size);
    if (tile && (tile.width < FULL_WIDTH || nodes <= FULL_WIDTH)) edge.push(tile);
  }
  return edge;
}

/**
 * What the full tiles below say of a tile: that every hash in it is right, that one is not, or
 * neither.
 */
async function compareBelow(
  { level, index, width }: Tile,
  bytes: Uint8Array,
  read: Suspect['read'],
): Promise<'confirmed' | 'contradicted' | 'open'> {
  if (level === 'data' || level === 0) return 'open';
  let confirmed = 0;
  for (let at = 0; at < width; at += 1) {
    const below = await read({
      level: level - 1,
      index: index * FULL_WIDTH + at,
      width: FULL_WIDTH,
    });
    if (!below) continue;
    const hash = bytes.subarray(at * HASH_LENGTH, (at + 1) * HASH_LENGTH);
    if (!equalHashes(fullTileHash(new HashTile(below)), hash)) return 'contradicted';
    confirmed += 1;
  }
  return confirmed === width ? 'confirmed' : 'open';
}

function isSame(a: Tile, b: Tile): boolean {
  return a.level === b.level && a.index === b.index && a.width === b.width;
}
