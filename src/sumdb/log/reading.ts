import { failed, success } from '../../effects/result.ts';
import { failureText } from '../../origins/failure.ts';
import type { Answer, Effort } from '../../origins/race/answer.ts';
import { HashTile } from '../../tlog/hash-tile.ts';
import { formatTilePath, FULL_WIDTH, type Tile, tileByteLength } from '../../tlog/tile-path.ts';
import type { ReadTiles, TileReading } from '../../tlog/tile-reader.ts';
import type { InTurn } from './at-most.ts';
import { KNOWN, type LogSource, type NoAnswer, totalEffort } from './log-answer.ts';
import type { TileEffects } from './log-effects.ts';
import { notProven } from './proof.ts';
import type { SharedReads } from './shared-reads.ts';

/** What an isolate knows of the tiles of a log. */
export interface TileMemory {
  /** A tile that was proven before. */
  tile(path: string): HashTile | undefined;
  keepTile(path: string, hashes: HashTile): void;
  forgetTile(path: string): void;
  /** The reads that run now. */
  readonly reads: SharedReads<SourcedTile>;
}

/** A tile as it was read: not proven. */
export interface SourcedTile {
  readonly hashes: HashTile;
  /** Name of the address that it came from; undefined for the cache. */
  readonly origin: string | undefined;
}

export interface OwnTile {
  readonly tile: Tile;
  readonly bytes: Uint8Array;
}

/** Ends a proof for which a tile cannot be read. Caught by `TileSource`. */
export class TileUnavailable extends Error {
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
  for (const stored of isFull(tile) ? [full] : [tile, full]) {
    const bytes = await read(stored);
    if (!bytes || bytes.length !== tileByteLength(stored)) continue;
    return stored === tile ? bytes : cut(bytes, tile);
  }
  return undefined;
}

function isFull({ width }: Tile): boolean {
  return width === FULL_WIDTH;
}

function fullTile(tile: Tile): Tile {
  return { ...tile, width: FULL_WIDTH };
}

function cut(full: Uint8Array, tile: Tile): Uint8Array {
  return full.slice(0, tileByteLength(tile));
}

export interface ReadingPlan {
  readonly memory: TileMemory | undefined;
  /** Lets a read wait for its turn. */
  readonly inTurn: InTurn;
  /** Names of addresses whose tiles did not fit. */
  readonly avoid: ReadonlySet<string>;
  readonly useCache: boolean;
  readonly own: OwnTile | undefined;
  readonly served: Tile | undefined;
  /** Takes the effort of each question. */
  readonly efforts: Effort[];
}

/** One attempt at a proof. */
export class Reading implements TileReading {
  /** Addresses that tiles came from. */
  readonly origins = new Set<string>();
  usedCache = false;
  readonly #effects: TileEffects;
  readonly #plan: ReadingPlan;
  readonly #ownPath: string | undefined;
  readonly #servedPath: string | undefined;
  /** Paths that the server of a tile has looked for in the cache. */
  readonly #lookedFor: ReadonlySet<string>;
  /** Paths of tiles that this reading has from memory. */
  readonly #recalled = new Set<string>();
  /** Paths of tiles that this reading has from the database. */
  readonly #fresh = new Set<string>();
  /** Paths whose copy in the cache has a wrong length. */
  readonly #damaged = new Set<string>();
  readonly #authenticated = new Map<string, { readonly tile: Tile; readonly hashes: HashTile }>();

  constructor(effects: TileEffects, plan: ReadingPlan) {
    const { own, served } = plan;
    this.#effects = effects;
    this.#plan = plan;
    this.#ownPath = own && formatTilePath(own.tile);
    this.#servedPath = served && formatTilePath(served);
    this.#lookedFor = new Set(served ? [served, fullTile(served)].map(formatTilePath) : []);
  }

  readonly readTiles: ReadTiles = (tiles) => Promise.all(tiles.map((tile) => this.#read(tile)));

  readonly onAuthenticated = (tile: Tile, hashes: HashTile): void => {
    this.#authenticated.set(formatTilePath(tile), { tile, hashes });
  };

  keep(): void {
    const { memory, useCache } = this.#plan;
    for (const [path, { hashes, tile }] of this.#authenticated) {
      memory?.keepTile(path, hashes);
      if (!this.#fresh.has(path) || path === this.#servedPath || !isFull(tile)) continue;
      this.#effects.writeCache(path, hashes.bytes, { heals: !useCache || this.#damaged.has(path) });
    }
  }

  /** Forgets the remembered tiles that it used. Which tile is wrong is not always known. */
  forget(): void {
    for (const path of this.#recalled) this.#plan.memory?.forgetTile(path);
  }

  source(): LogSource {
    const [origin] = this.origins;
    if (origin === undefined) return KNOWN;
    return { kind: 'asked', origin, effort: totalEffort(this.#plan.efforts) };
  }

  async #read(tile: Tile): Promise<HashTile> {
    const path = formatTilePath(tile);
    const { inTurn, memory, own, useCache } = this.#plan;
    if (own && path === this.#ownPath) return this.#hashesOf(own.bytes);
    // What did not fit is read anew, by each request for itself.
    if (!useCache) return this.#note(await inTurn(() => this.#readRemote(tile)));
    const remembered = memory && this.#recall(tile, memory);
    if (remembered) return this.#note({ hashes: remembered, origin: undefined });
    const read = () => inTurn(() => this.#readNew(tile));
    return this.#note(await (memory ? memory.reads.read(path, read) : read()));
  }

  #hashesOf(bytes: Uint8Array): HashTile {
    return new HashTile(bytes, this.#effects.hashPairs);
  }

  #recall(tile: Tile, memory: TileMemory): HashTile | undefined {
    const known = this.#remembered(tile, memory);
    if (known || isFull(tile)) return known;
    const full = this.#remembered(fullTile(tile), memory);
    return full && this.#hashesOf(cut(full.bytes, tile));
  }

  #remembered(tile: Tile, memory: TileMemory): HashTile | undefined {
    const path = formatTilePath(tile);
    const hashes = memory.tile(path);
    if (hashes) this.#recalled.add(path);
    return hashes;
  }

  #note({ hashes, origin }: SourcedTile): HashTile {
    if (origin === undefined) this.usedCache = true;
    else this.origins.add(origin);
    return hashes;
  }

  async #readNew(tile: Tile): Promise<SourcedTile> {
    const mayBeStored = isFull(tile) || this.#effects.hasPartialTiles;
    const stored = mayBeStored
      ? await readStoredTile(tile, (one) => this.#readStored(one))
      : undefined;
    if (!stored) return this.#readRemote(tile);
    return { hashes: this.#hashesOf(stored), origin: undefined };
  }

  async #readStored(tile: Tile): Promise<Uint8Array | undefined> {
    const path = formatTilePath(tile);
    if (this.#lookedFor.has(path)) return undefined;
    const bytes = await this.#effects.readCache(path);
    if (bytes && bytes.length !== tileByteLength(tile)) this.#damaged.add(path);
    return bytes;
  }

  /**
   * From the database: the tile, or the full one if the tree has outgrown the part
   * (golang.org/x/mod/sumdb readTile).
   */
  async #readRemote(tile: Tile): Promise<SourcedTile> {
    const part = await this.#ask(tile);
    if (part?.kind === 'accepted')
      return { hashes: this.#hashesOf(part.value), origin: part.origin };
    if (part?.kind === 'missing' && !isFull(tile)) {
      const whole = await this.#ask(fullTile(tile));
      if (whole?.kind === 'accepted')
        return { hashes: this.#hashesOf(cut(whole.value, tile)), origin: whole.origin };
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
    if (answer?.kind === 'accepted') this.#fresh.add(path);
    return answer;
  }
}
