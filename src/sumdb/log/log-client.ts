/**
 * A client of a checksum database that takes no answer without proof, after golang.org/x/mod/sumdb.
 * The proofs are those of log-verifier.ts; here is what outlives one of them.
 *
 * The latest tree head is kept in the durable tier. It only moves forward, by compare and swap, so
 * that all isolates are on one timeline. Look-ups and tiles that are asked for are not stored here:
 * what serves them stores them.
 */
import type { ModulePath } from '../../module/module-path.ts';
import type { Version } from '../../module/version.ts';
import { checkDataTile } from '../../tlog/data-tile.ts';
import { formatTilePath, type Tile, tileByteLength } from '../../tlog/tile-path.ts';
import { widestTile } from '../../tlog/tile.ts';
import type { VerifierKey } from '../../tlog/verifier-key.ts';
import { KNOWN, type LogAnswer, type NoAnswer } from './log-answer.ts';
import type { LogEffects } from './log-effects.ts';
import type { LogMemory } from './log-memory.ts';
import { type Lookup, LogVerifier, MAX_LOOKUP_BYTES } from './log-verifier.ts';
import {
  acceptedIfProven,
  notProven,
  type Proof,
  proven,
  refuted,
  type Unproven,
} from './proof.ts';
import { lookupPath } from '../request.ts';
import { inOrder, openHead, type SignedHead } from './signed-head.ts';
import { TileSource } from './tile-source.ts';

/** Far more than 256 records. */
const MAX_DATA_TILE_BYTES = 4 * 1024 * 1024;

/** How often the common tree head is swapped again when other isolates were faster. */
const MAX_SWAPS = 5;

export interface LogClientOptions {
  /** Name of the database. */
  readonly name: string;
  readonly key: VerifierKey;
  /** What this isolate remembers of the log. */
  readonly memory: LogMemory;
  readonly effects: LogEffects;
}

export interface ReadTile {
  readonly bytes: Uint8Array;
  /** False beyond every known tree head: then only the length of the tile was checked. */
  readonly isProven: boolean;
}

export class LogClient {
  readonly #options: LogClientOptions;
  readonly #verifier: LogVerifier;
  /** The answer of the database about its newest head, once it was asked for a tile. */
  #newest: Promise<LogAnswer<Uint8Array>> | undefined;

  constructor(options: LogClientOptions) {
    const { effects, key, memory } = options;
    this.#options = options;
    this.#verifier = new LogVerifier(key, new TileSource(effects, memory));
  }

  /** The record of a version: asked of the database, and proven. */
  lookup(module: ModulePath, version: Version): Promise<LogAnswer<Lookup>> {
    return this.#ask(lookupPath(module, version), MAX_LOOKUP_BYTES, (bytes) =>
      this.#proveLookup(bytes, module, version),
    );
  }

  /** A stored look-up, if it is proven to be the record of the version. */
  async proveStoredLookup(
    bytes: Uint8Array,
    module: ModulePath,
    version: Version,
  ): Promise<Lookup | undefined> {
    const proof = this.#report(await this.#proveLookup(bytes, module, version));
    return proof.kind === 'proven' ? proof.value : undefined;
  }

  /** The newest signed tree head: that of the database, or the known one if that is newer. */
  latest(): Promise<LogAnswer<Uint8Array>> {
    return this.#ask('latest', MAX_LOOKUP_BYTES, async (note) => {
      const { effects, key, name } = this.#options;
      const opened = await openHead(note, { key, path: 'latest' });
      if (opened.kind !== 'proven') return opened;
      const before = await this.#known();
      const merged = await this.#merge(opened.value);
      if (merged.kind !== 'proven') return merged;
      const latest = merged.value.note;
      if (before && opened.value.head.size < before.head.size) {
        const proof = `${new TextDecoder().decode(latest)}\n${new TextDecoder().decode(note)}`;
        effects.emit({ event: 'security', kind: 'rollback', database: name, proof });
      }
      return proven(latest);
    });
  }

  /** A tile of hashes or of records, proven if the latest tree head reaches it. */
  async tile(tile: Tile): Promise<LogAnswer<ReadTile>> {
    const reaching = await this.#headWith(tile);
    if (reaching.kind !== 'proven') return reaching;
    if (!reaching.value) return this.#askUnproven(tile);
    const served = tile.level === 'data' ? undefined : tile;
    const hashes = await this.#verifier.readHashes(tile, reaching.value.head, { served });
    if (hashes.kind !== 'proven') return this.#noAnswer(hashes);
    const { source, value } = hashes;
    if (served) return { kind: 'proven', value: { bytes: value, isProven: true }, source };
    return this.#ask(formatTilePath(tile), MAX_DATA_TILE_BYTES, async (bytes) =>
      checkDataTile(bytes, tile, value)
        ? proven({ bytes, isProven: true })
        : refuted('records that are not those of the log'),
    );
  }

  /** Whether a stored tile is proven. */
  async isStoredTileProven(tile: Tile, bytes: Uint8Array): Promise<boolean> {
    const reaching = await this.#headWith(tile);
    if (reaching.kind !== 'proven' || !reaching.value) return false;
    const proof = await this.#verifier.proveTile(tile, bytes, reaching.value.head);
    return this.#report(proof).kind === 'proven';
  }

  /** Asks the database, and accepts the answer of the first address that is proven. */
  async #ask<T>(
    path: string,
    limitBytes: number,
    prove: (bytes: Uint8Array) => Promise<Proof<T>>,
  ): Promise<LogAnswer<T>> {
    const answer = await this.#options.effects.readRemote(path, {
      limitBytes,
      accept: async (bytes) => acceptedIfProven(this.#report(await prove(bytes))),
    });
    if (answer.kind !== 'accepted') return answer;
    const { effort, origin, value } = answer;
    return { kind: 'proven', value, source: { kind: 'asked', origin, effort } };
  }

  /**
   * A tile beyond the newest tree head that the database shows: that address lags behind another.
   */
  #askUnproven(tile: Tile): Promise<LogAnswer<ReadTile>> {
    const expected = tileByteLength(tile);
    const limitBytes = expected ?? MAX_DATA_TILE_BYTES;
    return this.#ask(formatTilePath(tile), limitBytes, async (bytes) =>
      expected === undefined || bytes.length === expected
        ? proven({ bytes, isProven: false })
        : refuted(`a tile of ${bytes.length} bytes instead of ${expected}`),
    );
  }

  /** The answer to a question for a tile whose hashes are not proven. */
  #noAnswer({ effort, lacking, reason }: Unproven): NoAnswer {
    if (lacking.kind === 'missing tile' && lacking.answer) return { ...lacking.answer, effort };
    const failure = { origin: this.#options.name, reason: notProven(reason) };
    return { kind: 'failed', failures: [failure], effort };
  }

  /**
   * The latest tree head, if it reaches this tile. Unless the known one does, the database is asked
   * for a newer one.
   */
  async #headWith(tile: Tile): Promise<LogAnswer<SignedHead | undefined>> {
    const reaching = (known: SignedHead | undefined) => {
      const widest = known && widestTile(tile, known.head.size);
      return widest && widest.width >= tile.width ? known : undefined;
    };
    const known = reaching(await this.#known());
    if (known) return { kind: 'proven', value: known, source: KNOWN };
    // Once for each client, which lives as long as its request: in an outage every question waits.
    const answer = await (this.#newest ??= this.latest());
    if (answer.kind !== 'proven') return answer;
    return { ...answer, value: reaching(this.#options.memory.latest) };
  }

  #proveLookup(bytes: Uint8Array, module: ModulePath, version: Version): Promise<Proof<Lookup>> {
    const place = (head: SignedHead) => this.#merge(head);
    return this.#verifier.proveLookup({ bytes, module, version, place });
  }

  /** The latest tree head of this isolate, at first that of all. */
  async #known(): Promise<SignedHead | undefined> {
    const { memory } = this.#options;
    if (memory.latest) return memory.latest;
    const { head } = await this.#readCommon();
    return (memory.latest ??= head);
  }

  /** The tree head that all isolates have in common, and the version that a swap takes. */
  async #readCommon(): Promise<{
    readonly head: SignedHead | undefined;
    readonly known: string | undefined;
  }> {
    const { effects, key } = this.#options;
    const stored = await effects.readLatest();
    if (!stored) return { head: undefined, known: undefined };
    const opened = this.#report(await openHead(stored.bytes, { key, path: 'latest' }));
    return { head: opened.kind === 'proven' ? opened.value : undefined, known: stored.known };
  }

  /** Takes a tree head into account: the latest one, which is `seen` itself if that is newer. */
  async #merge(seen: SignedHead): Promise<Proof<SignedHead>> {
    const { memory } = this.#options;
    for (;;) {
      const known = await this.#known();
      if (known) {
        const compared = await this.#compare(known, seen);
        if (compared.kind !== 'proven' || compared.value === known) return compared;
      }
      if (memory.latest !== known) continue; // another request was faster
      memory.latest = seen;
      return this.#publish(seen);
    }
  }

  /** Moves the common tree head forward: the latest one, which another isolate may have moved. */
  async #publish(seen: SignedHead): Promise<Proof<SignedHead>> {
    const { effects, memory } = this.#options;
    for (let round = 0; round < MAX_SWAPS; round++) {
      const { head: common, known } = await this.#readCommon();
      if (common) {
        const isNewest = common.head.size >= seen.head.size;
        // What all isolates have in common counts, whatever comes of the comparison.
        if (isNewest && memory.latest === seen) memory.goBackTo(common);
        const compared = await this.#compare(common, seen).catch((error: unknown) => {
          memory.goBackTo(common);
          throw error;
        });
        if (compared.kind !== 'proven' && !isNewest) memory.goBackTo(common);
        if (compared.kind !== 'proven' || isNewest) return compared;
      }
      if (await effects.swapLatest(known, seen.note)) return proven(seen);
    }
    return proven(seen); // the store does not take it now; the next newer head is tried again
  }

  /** Proves that two tree heads are one log at two times: the newer one. */
  async #compare(known: SignedHead, seen: SignedHead): Promise<Proof<SignedHead>> {
    const { memory } = this.#options;
    const [older, newer] = inOrder(known, seen);
    if (memory.latest === newer && memory.isConsistent(older.head)) return proven(newer);
    const compared = await this.#verifier.compareHeads(older, newer);
    if (compared.kind === 'proven') memory.keepConsistent(older.head);
    return compared;
  }

  /** Emits what a proof shows of the database. Each proof passes here once, at its end. */
  #report<T>(proof: Proof<T>): Proof<T> {
    const { effects, name } = this.#options;
    if (proof.kind !== 'proven' && proof.evidence) {
      effects.emit({ event: 'security', database: name, ...proof.evidence });
    }
    return proof;
  }
}
