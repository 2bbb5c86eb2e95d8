/**
 * A client of a checksum database that takes no answer without proof, after golang.org/x/mod/sumdb.
 * The proofs are those of log-verifier.ts; here is what outlives one of them.
 *
 * The tree heads themselves are those of timeline.ts. Look-ups and tiles that are asked for are not
 * stored here: what serves them stores them.
 */
import { equalBytes } from '../../bytes/equal.ts';
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
  type Report,
  type Unproven,
} from './proof.ts';
import { lookupPath } from '../request.ts';
import { openHead, type SignedHead } from './signed-head.ts';
import { TileSource } from './tile-source.ts';
import { Timeline } from './timeline.ts';

/** Far more than 256 records. */
const MAX_DATA_TILE_BYTES = 4 * 1024 * 1024;

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
  readonly #timeline: Timeline;
  /** The answer of the database about its newest head, once it was asked for a tile. */
  #newest: Promise<LogAnswer<Uint8Array>> | undefined;

  constructor(options: LogClientOptions) {
    const { effects, key, memory } = options;
    this.#options = options;
    const verifier = new LogVerifier(key, new TileSource(effects, memory));
    const report: Report = (proof) => this.#report(proof);
    this.#verifier = verifier;
    this.#timeline = new Timeline({ key, memory, effects, verifier, report });
  }

  /** The record of a version: asked of the database, and proven. */
  lookup(module: ModulePath, version: Version): Promise<LogAnswer<Lookup>> {
    return this.#ask(lookupPath(module, version), MAX_LOOKUP_BYTES, (bytes) =>
      this.#proveLookup(bytes, module, version),
    );
  }

  /** Proves that a stored look-up is the record of the version. */
  async proveStoredLookup(
    bytes: Uint8Array,
    module: ModulePath,
    version: Version,
  ): Promise<Proof<Lookup>> {
    return this.#report(await this.#proveLookup(bytes, module, version));
  }

  /** The newest signed tree head: that of the database, or the known one if that is newer. */
  latest(): Promise<LogAnswer<Uint8Array>> {
    return this.#ask('latest', MAX_LOOKUP_BYTES, async (note) => {
      const { effects, key, name } = this.#options;
      const opened = await openHead(note, { key, path: 'latest' });
      if (opened.kind !== 'proven') return opened;
      const before = await this.#timeline.known();
      const merged = await this.#timeline.merge(opened.value);
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
    hashes.keepTiles();
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
    const proveOnce = provingOnce(async (bytes) => this.#report(await prove(bytes)));
    const answer = await this.#options.effects.readRemote(path, {
      limitBytes,
      accept: async (bytes) => acceptedIfProven(await proveOnce(bytes)),
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
    const known = reaching(await this.#timeline.known());
    if (known) return { kind: 'proven', value: known, source: KNOWN };
    // Once for each client, which lives as long as its request: in an outage every question waits.
    const answer = await (this.#newest ??= this.latest());
    if (answer.kind !== 'proven') return answer;
    return { ...answer, value: reaching(this.#options.memory.latest) };
  }

  #proveLookup(bytes: Uint8Array, module: ModulePath, version: Version): Promise<Proof<Lookup>> {
    const place = (head: SignedHead) => this.#timeline.place(head);
    return this.#verifier.proveLookup({ bytes, module, version, place });
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

/**
 * Proves answers to one question. Of equal ones at the same time, from several addresses, one is
 * proven. An answer without tiles to prove it is tried again when it comes again.
 */
function provingOnce<T>(
  prove: (bytes: Uint8Array) => Promise<Proof<T>>,
): (bytes: Uint8Array) => Promise<Proof<T>> {
  let known: { readonly bytes: Uint8Array; readonly proof: Promise<Proof<T>> }[] = [];
  return (bytes) => {
    const same = known.find((one) => equalBytes(one.bytes, bytes));
    if (same) return same.proof;
    const forget = () => void (known = known.filter(({ proof: other }) => other !== proof));
    const proof = prove(bytes);
    known.push({ bytes, proof });
    proof.then(({ kind }) => kind === 'unproven' && forget(), forget);
    return proof;
  };
}
