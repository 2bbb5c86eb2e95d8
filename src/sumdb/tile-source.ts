import type { Answer } from '../origins/race/ask.ts';
import { BadAnswer } from '../origins/origin.ts';
import type { LogEffects } from './log-effects.ts';
import type { LogMemory } from './log-memory.ts';
import { formatTilePath, FULL_WIDTH, type Tile, tileByteLength } from '../tlog/tile-path.ts';
import { InconsistentTile, type ReadTiles } from '../tlog/tile-reader.ts';

/**
 * Thrown when a tile that a proof needs cannot be had; says what the database's addresses answered.
 */
export class TileUnavailable extends Error {
  override readonly name = 'TileUnavailable';
  readonly answer: Exclude<Answer<never>, { kind: 'accepted' }>;

  constructor(path: string, answer: Exclude<Answer<unknown>, { kind: 'accepted' }>) {
    const causes =
      answer.kind === 'missing'
        ? `${answer.missing.origin}: ${answer.missing.status}`
        : answer.failures.map(({ origin, text }) => `${origin}: ${text}`).join('; ');
    super(`cannot get ${path}: ${causes}`);
    this.answer = answer;
  }
}

/** Thrown when no address of the database has tiles that fit together. */
export class InconsistentTiles extends BadAnswer {
  override readonly name = 'InconsistentTiles';
}

/**
 * Throws `BadAnswer` unless the bytes are as many as a tile of hashes has; how many a data tile
 * has, its records tell.
 */
export function checkLength(tile: Tile, { length }: Uint8Array): void {
  const expected = tileByteLength(tile);
  if (expected !== undefined && length !== expected) {
    throw new BadAnswer(`a tile of ${length} bytes instead of ${expected}`);
  }
}

/** How the tiles of one proof are read. */
export interface TileReading {
  readonly readTiles: ReadTiles;
  readonly onAuthenticated: (tile: Tile, bytes: Uint8Array) => void;
  /** Addresses that tiles came from. */
  readonly origins: ReadonlySet<string>;
}

/**
 * Reads the tiles of a proof: from memory, from the cache, from the database. When they do not fit
 * together the cache is passed by and then, one after the other, the addresses that gave them: one
 * damaged copy anywhere costs a few requests more, and what was damaged in the cache is written
 * over. Tiles are kept when the proof succeeds, and not before: those of a forked log fit together
 * as well. Throws `InconsistentTiles` when no source has tiles that fit.
 */
export async function withTiles<T>(
  { effects, memory }: { readonly effects: LogEffects; readonly memory: LogMemory },
  prove: (reading: TileReading) => Promise<T>,
): Promise<T> {
  const avoid = new Set<string>();
  let inconsistent: InconsistentTile | undefined;
  for (let useCache = true; ; useCache = false) {
    const reading = new Reading({ effects, memory, avoid, useCache });
    try {
      const proven = await prove(reading);
      reading.keep();
      return proven;
    } catch (error) {
      const isExhausted = inconsistent && error instanceof TileUnavailable;
      if (isExhausted) throw new InconsistentTiles(inconsistent?.message, { cause: error });
      if (!(error instanceof InconsistentTile)) throw error;
      inconsistent = error;
      memory.forgetTiles();
      if (!reading.usedCache) for (const origin of reading.origins) avoid.add(origin);
    }
  }
}

class Reading implements TileReading {
  readonly origins = new Set<string>();
  usedCache = false;
  readonly #effects: LogEffects;
  readonly #memory: LogMemory;
  readonly #avoid: ReadonlySet<string>;
  readonly #useCache: boolean;
  /** What came from the database, and so is to be kept. */
  readonly #fresh = new Set<string>();
  readonly #authenticated = new Map<string, Uint8Array>();

  constructor(from: {
    readonly effects: LogEffects;
    readonly memory: LogMemory;
    readonly avoid: ReadonlySet<string>;
    readonly useCache: boolean;
  }) {
    this.#effects = from.effects;
    this.#memory = from.memory;
    this.#avoid = from.avoid;
    this.#useCache = from.useCache;
  }

  readonly readTiles: ReadTiles = (tiles) => Promise.all(tiles.map((tile) => this.#read(tile)));

  readonly onAuthenticated = (tile: Tile, bytes: Uint8Array): void => {
    this.#authenticated.set(formatTilePath(tile), bytes);
  };

  keep(): void {
    for (const [path, bytes] of this.#authenticated) {
      this.#memory.keepTile(path, bytes);
      if (this.#fresh.has(path)) this.#effects.writeCache(path, bytes, { heals: !this.#useCache });
    }
  }

  async #read(tile: Tile): Promise<Uint8Array> {
    return (this.#useCache ? await this.#readNear(tile) : undefined) ?? this.#readRemote(tile);
  }

  /** From memory or the cache; a full tile answers for its parts, as it does in the go command. */
  async #readNear(tile: Tile): Promise<Uint8Array | undefined> {
    const full = { ...tile, width: FULL_WIDTH };
    const isPart = tile.width < FULL_WIDTH;
    const find = async (wanted: Tile) => {
      const path = formatTilePath(wanted);
      return this.#memory.tile(path) ?? this.#effects.readCache(path);
    };
    const bytes = (await find(tile)) ?? (isPart ? await find(full) : undefined);
    if (bytes) this.usedCache = true;
    return bytes && bytes.length > (tileByteLength(tile) ?? 0)
      ? bytes.slice(0, tileByteLength(tile))
      : bytes;
  }

  /**
   * From the database: the tile, or the full one if the tree has outgrown the part
   * (golang.org/x/mod/sumdb readTile).
   */
  async #readRemote(tile: Tile): Promise<Uint8Array> {
    const part = await this.#ask(tile);
    if (part.kind === 'accepted') return part.value;
    const full: Tile = { ...tile, width: FULL_WIDTH };
    if (part.kind === 'missing' && tile.width < FULL_WIDTH) {
      const whole = await this.#ask(full);
      if (whole.kind === 'accepted') return whole.value.slice(0, tileByteLength(tile));
    }
    throw new TileUnavailable(formatTilePath(tile), part);
  }

  async #ask(tile: Tile): Promise<Answer<Uint8Array>> {
    const path = formatTilePath(tile);
    const answer = await this.#effects.readRemote(path, {
      limit: tileByteLength(tile) ?? 0,
      avoid: this.#avoid,
      accept(bytes) {
        checkLength(tile, bytes);
        return bytes;
      },
    });
    if (answer.kind === 'accepted') {
      this.origins.add(answer.origin);
      this.#fresh.add(path);
    }
    return answer;
  }
}
