import { failed, success } from '../../effects/result.ts';
import { failureText } from '../../origins/failure.ts';
import type { Answer, Effort } from '../../origins/race/answer.ts';
import { formatTilePath, FULL_WIDTH, type Tile, tileByteLength } from '../../tlog/tile-path.ts';
import { InconsistentTile, type ReadTiles, type TileReading } from '../../tlog/tile-reader.ts';
import {
  KNOWN,
  type LogSource,
  type NoAnswer,
  type ProvenAnswer,
  totalEffort,
} from './log-answer.ts';
import type { TileEffects } from './log-effects.ts';
import { notProven, type Unproven } from './proof.ts';

/** Tiles that were proven before. */
export interface TileMemory {
  tile(path: string): Uint8Array | undefined;
  keepTile(path: string, bytes: Uint8Array): void;
  forgetTiles(): void;
}

export interface ReadingOptions<T> {
  /**
   * The tile that a client asked for. Whatever serves it has found neither it nor the full one in
   * the cache, and keeps it: here it is not read from the cache a second time, and not written.
   */
  readonly served?: Tile | undefined;
  /**
   * A tile that is to be proven itself. When the tiles do not fit together there is no second
   * reading: which of them is wrong is for the caller to find.
   */
  readonly own?: OwnTile | undefined;
  /** Whether the tiles are kept, by the result of the proof. Default: they are. */
  readonly keepsTiles?: ((value: T) => boolean) | undefined;
}

export interface OwnTile {
  readonly tile: Tile;
  readonly bytes: Uint8Array;
}

/**
 * Reads the tiles of proofs: from memory, from the cache, from the database.
 *
 * When they do not fit together the cache is passed over and then, one after the other, the
 * addresses that gave them: one damaged copy anywhere costs some more requests, and a damaged copy
 * in the cache is replaced. Tiles are kept when the proof is complete, and not before: the tiles of
 * a forked log fit together as well.
 */
export class TileSource {
  readonly #effects: TileEffects;
  readonly #memory: TileMemory | undefined;

  constructor(effects: TileEffects, memory?: TileMemory) {
    this.#effects = effects;
    this.#memory = memory;
  }

  /**
   * The result of `prove`, whose tiles are read here, or why there are no tiles for it. This is the
   * one place where an exception inside a proof turns into its result. Rejects when the cache does.
   */
  async read<T>(
    prove: (reading: TileReading) => Promise<T>,
    options: ReadingOptions<T> = {},
  ): Promise<ProvenAnswer<T> | Unproven> {
    const avoid = new Set<string>();
    const efforts: Effort[] = [];
    let inconsistent: InconsistentTile | undefined;
    for (let useCache = true; ; useCache = false) {
      const { own, served } = options;
      const reading = new Reading(this.#effects, {
        memory: this.#memory,
        avoid,
        useCache,
        own,
        served,
        efforts,
      });
      try {
        const value = await prove(reading);
        if (options.keepsTiles?.(value) ?? true) reading.keep();
        return { kind: 'proven', value, source: reading.source() };
      } catch (error) {
        if (error instanceof TileUnavailable) {
          return inconsistent ? doNotFit(inconsistent, efforts) : isMissing(error, efforts);
        }
        if (!(error instanceof InconsistentTile)) throw error;
        if (own) return doNotFit(error, efforts);
        inconsistent = error;
        this.#memory?.forgetTiles();
        if (!reading.usedCache) for (const origin of reading.origins) avoid.add(origin);
      }
    }
  }
}

function doNotFit({ message, tile }: InconsistentTile, efforts: readonly Effort[]): Unproven {
  return {
    kind: 'unproven',
    reason: message,
    lacking: { kind: 'inconsistent tiles', tile },
    effort: totalEffort(efforts),
  };
}

function isMissing({ answer, message }: TileUnavailable, efforts: readonly Effort[]): Unproven {
  return {
    kind: 'unproven',
    reason: message,
    lacking: { kind: 'missing tile', answer },
    effort: totalEffort(efforts),
  };
}

/** Ends a proof for which a tile cannot be read. Caught by `TileSource`. */
class TileUnavailable extends Error {
  override readonly name = 'TileUnavailable';
  readonly answer: NoAnswer | undefined;

  constructor(path: string, answer: NoAnswer | undefined) {
    super(answer ? `cannot get ${path}: ${causesOf(answer).join('; ')}` : `${path} is not stored`);
    this.answer = answer;
  }
}

function causesOf(answer: NoAnswer): readonly string[] {
  if (answer.kind === 'missing') return [`${answer.missing.origin}: ${answer.missing.status}`];
  return answer.failures.map(({ origin, reason }) => `${origin}: ${failureText(reason)}`);
}

/**
 * A stored tile of the length that it must have. A full tile answers for its parts, which are its
 * first hashes, as it does in the go command.
 */
export async function readStoredTile(
  tile: Tile,
  read: (tile: Tile) => Promise<Uint8Array | undefined>,
): Promise<Uint8Array | undefined> {
  const full = fullTile(tile);
  for (const stored of tile.width === full.width ? [full] : [tile, full]) {
    const bytes = await read(stored);
    if (!bytes || bytes.length !== tileByteLength(stored)) continue;
    return stored === tile ? bytes : cut(bytes, tile);
  }
  return undefined;
}

function fullTile(tile: Tile): Tile {
  return { ...tile, width: FULL_WIDTH };
}

function cut(full: Uint8Array, tile: Tile): Uint8Array {
  return full.slice(0, tileByteLength(tile));
}

interface ReadingPlan {
  readonly memory: TileMemory | undefined;
  /** Names of addresses whose tiles did not fit. */
  readonly avoid: ReadonlySet<string>;
  readonly useCache: boolean;
  readonly own: OwnTile | undefined;
  readonly served: Tile | undefined;
  /** Takes the effort of each question. */
  readonly efforts: Effort[];
}

/** One attempt at a proof. */
class Reading implements TileReading {
  /** Addresses that tiles came from. */
  readonly origins = new Set<string>();
  usedCache = false;
  readonly #effects: TileEffects;
  readonly #plan: ReadingPlan;
  readonly #ownPath: string | undefined;
  readonly #servedPath: string | undefined;
  /** Paths that the server of a tile has looked for in the cache. */
  readonly #lookedFor: ReadonlySet<string>;
  /** Paths of tiles that came from the database. */
  readonly #fresh = new Set<string>();
  /** Paths whose copy in the cache has a wrong length. */
  readonly #damaged = new Set<string>();
  readonly #authenticated = new Map<string, Uint8Array>();

  constructor(effects: TileEffects, plan: ReadingPlan) {
    const { own, served } = plan;
    this.#effects = effects;
    this.#plan = plan;
    this.#ownPath = own && formatTilePath(own.tile);
    this.#servedPath = served && formatTilePath(served);
    this.#lookedFor = new Set(served ? [served, fullTile(served)].map(formatTilePath) : []);
  }

  readonly readTiles: ReadTiles = (tiles) => Promise.all(tiles.map((tile) => this.#read(tile)));

  readonly onAuthenticated = (tile: Tile, bytes: Uint8Array): void => {
    this.#authenticated.set(formatTilePath(tile), bytes);
  };

  keep(): void {
    const { memory, useCache } = this.#plan;
    for (const [path, bytes] of this.#authenticated) {
      memory?.keepTile(path, bytes);
      if (!this.#fresh.has(path) || path === this.#servedPath) continue;
      this.#effects.writeCache(path, bytes, { heals: !useCache || this.#damaged.has(path) });
    }
  }

  source(): LogSource {
    const [origin] = this.origins;
    if (origin === undefined) return KNOWN;
    return { kind: 'asked', origin, effort: totalEffort(this.#plan.efforts) };
  }

  async #read(tile: Tile): Promise<Uint8Array> {
    const { own, useCache } = this.#plan;
    if (own && formatTilePath(tile) === this.#ownPath) return own.bytes;
    const known = useCache ? await readStoredTile(tile, (one) => this.#find(one)) : undefined;
    if (!known) return this.#readRemote(tile);
    this.usedCache = true;
    return known;
  }

  async #find(tile: Tile): Promise<Uint8Array | undefined> {
    const path = formatTilePath(tile);
    const remembered = this.#plan.memory?.tile(path);
    if (remembered || this.#lookedFor.has(path)) return remembered;
    const bytes = await this.#effects.readCache(path);
    if (bytes && bytes.length !== tileByteLength(tile)) this.#damaged.add(path);
    return bytes;
  }

  /**
   * From the database: the tile, or the full one if the tree has outgrown the part
   * (golang.org/x/mod/sumdb readTile).
   */
  async #readRemote(tile: Tile): Promise<Uint8Array> {
    const part = await this.#ask(tile);
    if (part?.kind === 'accepted') return part.value;
    if (part?.kind === 'missing' && tile.width < FULL_WIDTH) {
      const whole = await this.#ask(fullTile(tile));
      if (whole?.kind === 'accepted') return cut(whole.value, tile);
    }
    throw new TileUnavailable(formatTilePath(tile), part);
  }

  async #ask(tile: Tile): Promise<Answer<Uint8Array> | undefined> {
    const path = formatTilePath(tile);
    const expected = tileByteLength(tile) ?? 0;
    const answer = await this.#effects.readRemote?.(path, {
      limitBytes: expected,
      avoid: this.#plan.avoid,
      async accept(bytes) {
        if (bytes.length === expected) return success(bytes);
        return failed(notProven(`a tile of ${bytes.length} bytes instead of ${expected}`));
      },
    });
    if (answer) this.#plan.efforts.push(answer.effort);
    if (answer?.kind === 'accepted') {
      this.origins.add(answer.origin);
      this.#fresh.add(path);
    }
    return answer;
  }
}
