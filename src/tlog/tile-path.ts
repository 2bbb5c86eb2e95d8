import { HASH_LENGTH } from './stored-hash.ts';

/**
 * The tile height of sum.golang.org, and the only one that the go command asks for: 2^8 hashes a
 * full tile.
 */
export const HEIGHT = 8;
export const FULL_WIDTH = 256;

/**
 * One tile of a checksum database: `width` neighbouring hashes, or the records themselves at level
 * `data`.
 */
export interface Tile {
  /** 0 to 7, or `data`. Height 8 leaves no use for more: level 7 is that of 2^56 records. */
  readonly level: number | 'data';
  /** Position within the level, a safe integer. */
  readonly index: number;
  /** 1 to 256; 256 is the full tile, everything less a prefix of it. */
  readonly width: number;
}

// tile/8/<level>/<index>[.p/<width>], the index in groups of three digits, all but the last marked
// with an x: tile/8/0/x001/x234/067.p/5 is level 0, index 1 234 067, width 5.
const TILE_PATH = /^tile\/8\/(data|[0-7])\/((?:x\d{3}\/)*\d{3})(?:\.p\/(\d{1,3}))?$/;

/**
 * Returns the tile that `path` names, or undefined if it names none or one of another height. Only
 * one spelling of each tile is valid, so a path that was parsed is safe as a storage key. Source:
 * golang.org/x/mod/sumdb/tlog ParseTilePath.
 */
export function parseTilePath(path: string): Tile | undefined {
  const [, level, groups, partial] = TILE_PATH.exec(path) ?? [];
  if (level === undefined || groups === undefined) return undefined;
  const width = partial === undefined ? FULL_WIDTH : Number(partial);
  const index = Number(groups.replaceAll(/[x/]/g, ''));
  if (width < 1 || width > FULL_WIDTH || !Number.isSafeInteger(index)) return undefined;
  const tile: Tile = { level: level === 'data' ? level : Number(level), index, width };
  return formatTilePath(tile) === path ? tile : undefined;
}

/**
 * Returns the path of `tile`, without a leading slash. Source: golang.org/x/mod/sumdb/tlog
 * Tile.Path.
 */
export function formatTilePath({ level, index, width }: Tile): string {
  const padded = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const groups = padded.replaceAll(/\d{3}(?!$)/g, 'x$&/');
  const partial = width === FULL_WIDTH ? '' : `.p/${width}`;
  return `tile/${HEIGHT}/${level}/${groups}${partial}`;
}

/**
 * Returns how many bytes the body of `tile` must have, or undefined for data tiles: only their
 * records tell.
 */
export function tileByteLength({ level, width }: Tile): number | undefined {
  return level === 'data' ? undefined : width * HASH_LENGTH;
}
