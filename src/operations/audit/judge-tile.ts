/**
 * Tiles, as far as the stored tree heads prove them.
 *
 * A full tile is proven by the hash that the tile above has of it, and so on up to the right edge
 * of a tree that was signed. A partial tile is proven where it is itself on the right edge of a
 * signed tree, or a part of a wider tile that is proven. One that lies between two stored tree
 * heads may remain unproven, and then nothing relies on it either.
 *
 * The tiles of a right edge make the hash of the tree together. When they do not, one of them is
 * wrong, and the hash does not tell which. The full tiles below may tell: a tile whose every hash
 * is that of a full tile below it is right.
 */
import type { SignedHead } from '../../sumdb/log/signed-head.ts';
import { formatTilePath, FULL_WIDTH, type Tile, tileByteLength } from '../../tlog/tile-path.ts';
import { parentTile, widestTile } from '../../tlog/tile.ts';
import type { TreeHead } from '../../tlog/tree-head.ts';
import type { StoredLog } from './stored-log.ts';
import { findCulprit } from './tile-edge.ts';
import { type Judgement, RIGHT, wrong } from './verdict.ts';

/** Trees that a tile may be on the right edge of, and that are tried. */
const MAX_HEADS = 16;

/** Judges a tile of hashes or of records. */
export async function judgeTile(tile: Tile, bytes: Uint8Array, log: StoredLog): Promise<Judgement> {
  const length = tileByteLength(tile);
  if (length !== undefined && bytes.length !== length) {
    return wrong({
      expected: `${length} bytes`,
      found: `${bytes.length} bytes`,
      source: 'the width in its name',
    });
  }
  let refuted: Judgement | undefined;
  let unasked = 'no stored tree head reaches so far';
  for (const { head } of headsFor(tile, log.heads)) {
    const judgement = await judgeInTree({ tile, bytes, head }, log);
    if (judgement.verdict === 'right') return judgement;
    if (judgement.verdict === 'wrong') refuted = judgement;
    else if (judgement.verdict === 'uncovered') unasked = judgement.unasked ?? unasked;
  }
  return refuted ?? { verdict: 'uncovered', unasked };
}

/**
 * The trees that can prove it: those that it is on the right edge of, or the first one that has it,
 * and the newest.
 */
function headsFor(tile: Tile, heads: readonly SignedHead[]): readonly SignedHead[] {
  const widthAt = (at: number) => widestTile(tile, heads[at]?.head.size ?? 0)?.width ?? 0;
  // Heads are by size, so those that reach the tile are at the end; there may be as many as there
  // are lookups.
  let first = 0;
  for (let end = heads.length; first < end;) {
    const middle = Math.floor((first + end) / 2);
    if (widthAt(middle) < tile.width) first = middle + 1;
    else end = middle;
  }
  let last = first + 1;
  while (last < first + MAX_HEADS && widthAt(last) === tile.width && tile.width < FULL_WIDTH)
    last += 1;
  const reaching = heads.slice(first);
  return [...new Set([...reaching.slice(0, last - first), ...reaching.slice(-1)])];
}

interface TileOfTree {
  readonly tile: Tile;
  readonly bytes: Uint8Array;
  /** A tree that has a tile of this width there. */
  readonly head: TreeHead;
}

async function judgeInTree(judged: TileOfTree, log: StoredLog): Promise<Judgement> {
  const { bytes, head, tile } = judged;
  const refuted = (found: string) =>
    wrong({
      expected: `a tile of the tree of ${head.size} records`,
      found,
      source: `${log.name}, which signed it`,
    });
  const proof = await log.proveTile(tile, bytes, head);
  if (proof.kind === 'proven') return RIGHT;
  if (proof.kind === 'refuted') return refuted(proof.reason);
  const { lacking, reason } = proof;
  const isWrong =
    lacking.kind === 'inconsistent tiles' && (await isAtFault(judged, lacking.tile, log));
  return isWrong
    ? refuted('hashes that do not fit together')
    : { verdict: 'uncovered', unasked: reason };
}

/** Whether the judged tile is the one that does not fit, where `misfit` does not fit its parent. */
async function isAtFault(
  { bytes, head, tile }: TileOfTree,
  misfit: Tile,
  log: StoredLog,
): Promise<boolean> {
  if (tile.level === 'data') return false;
  const isEdge = parentTile(misfit, head.size) === undefined;
  if (!isEdge) return formatTilePath(misfit) === formatTilePath(tile);
  if (!log.isOnline)
    return findCulprit({ tile, bytes, head, read: (wanted) => log.readTile(wanted) });
  // With every other tile from the database itself, no other one can be at fault.
  const proof = await log.proveTileOnline(tile, bytes, head);
  return proof.kind === 'unproven'
    ? proof.lacking.kind === 'inconsistent tiles'
    : proof.kind === 'refuted';
}
