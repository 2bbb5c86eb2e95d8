/**
 * Tiles, as far as the stored tree heads prove them.
 *
 * A full tile is proven by the hash that the tile above it has of it, and so on up to the right
 * edge of a tree that was signed. A partial tile is proven where it is itself on the right edge of
 * a signed tree, or a part of a wider tile that is proven; one that lies between two stored tree
 * heads may remain unproven, and then nobody relies on it either.
 *
 * The tiles of a right edge make the hash of the tree together, and when they do not, one of them
 * is wrong and it is not said which. The full tiles below may tell: a tile whose every hash is that
 * of a full tile below it is not the one.
 */
import type { Answer } from '../../origins/race/ask.ts';
import { BadAnswer } from '../../origins/origin.ts';
import { checksumKey } from '../../store/key.ts';
import { checkDataTile } from '../../tlog/data-tile.ts';
import type { SignedHead } from '../../sumdb/log-memory.ts';
import { formatTilePath, FULL_WIDTH, type Tile, tileByteLength } from '../../tlog/tile-path.ts';
import { InconsistentTile, readAuthenticatedTile, type ReadTiles } from '../../tlog/tile-reader.ts';
import { parentTile, widestTile } from '../../tlog/tile.ts';
import type { StoredLogOptions } from './stored-log.ts';
import { findCulprit } from './tile-edge.ts';
import { type Judgement, RIGHT, wrong } from './verdict.ts';

/** Trees that a tile may be on the right edge of, and that are tried. */
const MAX_HEADS = 16;

/** Judges a tile of hashes or of records. */
export async function judgeTile(
  tile: Tile,
  bytes: Uint8Array,
  log: StoredLogOptions,
): Promise<Judgement> {
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
    const proof = await prove({ tile, bytes, head, log });
    if (proof.verdict === 'right') return proof;
    if (proof.verdict === 'wrong') refuted = proof;
    else if (proof.verdict === 'uncovered') unasked = proof.unasked ?? unasked;
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

interface TileProof {
  readonly tile: Tile;
  readonly bytes: Uint8Array;
  readonly head: SignedHead['head'];
  readonly log: StoredLogOptions;
}

async function prove(proof: TileProof): Promise<Judgement> {
  const { tile, bytes, head, log } = proof;
  const hashes: Tile = { ...tile, level: tile.level === 'data' ? 0 : tile.level };
  const own = tile.level === 'data' ? undefined : { tile, bytes };
  const refuted = (found: string) =>
    wrong({
      expected: `a tile of the tree of ${head.size} records`,
      found,
      source: `${log.database.name}, which signed it`,
    });
  try {
    const proven = await readAuthenticatedTile(
      head,
      hashes,
      tileReader(log, { own, useTree: true }),
    );
    if (!proven) return { verdict: 'uncovered' };
    const fits = own ? isEqual(proven, bytes) : checkDataTile(bytes, tile, proven);
    return fits ? RIGHT : refuted(own ? 'other hashes' : 'records that are not those of the log');
  } catch (error) {
    if (error instanceof NotStored) return { verdict: 'uncovered', unasked: error.message };
    if (!(error instanceof InconsistentTile)) throw error;
    if (own && (await isOwnFault(error, proof))) return refuted('hashes that do not fit together');
    return { verdict: 'uncovered', unasked: error.message };
  }
}

/** Whether the tile that is judged is the one that does not fit. */
async function isOwnFault(
  error: InconsistentTile,
  { tile, bytes, head, log }: TileProof,
): Promise<boolean> {
  const isEdge = parentTile(error.tile, head.size) === undefined;
  if (!isEdge) return formatTilePath(error.tile) === formatTilePath(tile);
  if (log.readRemote) {
    // With everything else from the database itself, nothing else can be at fault.
    const others = tileReader(log, { own: { tile, bytes }, useTree: false });
    return readAuthenticatedTile(head, tile, others).then(
      (proven) => proven !== undefined && !isEqual(proven, bytes),
      (failure: unknown) => {
        if (failure instanceof NotStored) return false;
        if (failure instanceof InconsistentTile) return true;
        throw failure;
      },
    );
  }
  return findCulprit({ tile, bytes, head, read: (wanted) => readStored(log, wanted) });
}

/** Thrown when a tile is needed that the tree has not. */
class NotStored extends Error {
  override readonly name = 'NotStored';
}

interface Reading {
  /** The tile that is judged: its bytes are taken from here. */
  readonly own: { readonly tile: Tile; readonly bytes: Uint8Array } | undefined;
  readonly useTree: boolean;
}

function tileReader(log: StoredLogOptions, { own, useTree }: Reading): ReadTiles {
  const ownPath = own && formatTilePath(own.tile);
  async function read(tile: Tile): Promise<Uint8Array> {
    if (own && formatTilePath(tile) === ownPath) return own.bytes;
    const stored = useTree ? await readStored(log, tile) : undefined;
    return stored ?? readFromDatabase(log, tile);
  }
  return (tiles) => Promise.all(tiles.map(read));
}

/**
 * A tile, also out of the full one, if it has the length that it must have. What has not is found
 * when its own turn comes.
 */
async function readStored(
  { database, tree }: StoredLogOptions,
  tile: Tile,
): Promise<Uint8Array | undefined> {
  for (const width of tile.width === FULL_WIDTH ? [FULL_WIDTH] : [tile.width, FULL_WIDTH]) {
    const from = { ...tile, width };
    const bytes = await tree.read(checksumKey(database.name, formatTilePath(from)));
    if (bytes?.length === tileByteLength(from)) return bytes?.slice(0, tileByteLength(tile));
  }
  return undefined;
}

async function readFromDatabase(
  { database, readRemote }: StoredLogOptions,
  tile: Tile,
): Promise<Uint8Array> {
  const path = formatTilePath(tile);
  if (!readRemote) throw new NotStored(`${path} is not stored`);
  const ask = (wanted: Tile): Promise<Answer<Uint8Array>> => {
    const length = tileByteLength(wanted) ?? 0;
    return readRemote(database, formatTilePath(wanted), {
      limit: length,
      accept(bytes) {
        if (bytes.length === length) return bytes;
        throw new BadAnswer(`a tile of ${bytes.length} bytes instead of ${length}`);
      },
    });
  };
  const part = await ask(tile);
  if (part.kind === 'accepted') return part.value;
  const full = part.kind === 'missing' ? await ask({ ...tile, width: FULL_WIDTH }) : part;
  if (full.kind === 'accepted') return full.value.slice(0, tileByteLength(tile));
  throw new NotStored(`${path} is not stored, and ${database.name} does not give it`);
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
