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
import { formatTilePath, type Tile } from '../../tlog/tile-path.ts';
import { widestTile } from '../../tlog/tile.ts';
import type { VerifierKey } from '../../tlog/verifier-key.ts';
import { HeadSearch } from './head-search.ts';
import { KNOWN, type LogAnswer, type NoAnswer } from './log-answer.ts';
import type { LogEffects } from './log-effects.ts';
import type { LogMemory } from './log-memory.ts';
import { type Lookup, LogVerifier, MAX_LOOKUP_BYTES, OTHER_RECORDS } from './log-verifier.ts';
import {
  acceptedIfProven,
  forged,
  notProven,
  type Proof,
  proven,
  refuted,
  type Report,
  type Unproven,
} from './proof.ts';
import { lookupPath } from '../request.ts';
import type { RemoteQuestion } from './remote-reader.ts';
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

export class LogClient {
  readonly #options: LogClientOptions;
  readonly #verifier: LogVerifier;
  readonly #timeline: Timeline;
  readonly #search: HeadSearch;

  constructor(options: LogClientOptions) {
    const { effects, key, memory } = options;
    this.#options = options;
    const verifier = new LogVerifier(key, new TileSource(effects, memory));
    const report: Report = (proof) => this.#report(proof);
    this.#verifier = verifier;
    this.#timeline = new Timeline({ key, memory, effects, verifier, report });
    this.#search = new HeadSearch({
      catchUp: () => this.#timeline.catchUp(),
      ask: (behind) => this.#askHead({ avoid: behind }, (shown) => this.#timeline.merge(shown)),
    });
  }

  /** The record of a version: asked of the database, and proven. */
  lookup(module: ModulePath, version: Version): Promise<LogAnswer<Lookup>> {
    const path = lookupPath(module, version);
    return this.#ask(path, { limitBytes: MAX_LOOKUP_BYTES }, (bytes) =>
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
    const { effects, name } = this.#options;
    return this.#askHead({}, async (shown) => {
      const before = await this.#timeline.known();
      const merged = await this.#timeline.merge(shown);
      if (merged.kind !== 'proven') return merged;
      const latest = merged.value.note;
      if (before && shown.head.size < before.head.size) {
        const proof = [latest, shown.note].map((note) => new TextDecoder().decode(note)).join('\n');
        effects.emit({ event: 'security', kind: 'rollback', database: name, proof });
      }
      return proven(latest);
    });
  }

  /**
   * A tile of hashes or of records. One that no tree head reaches is missing: without a proof it is
   * passed on to nobody, as go commands without the fix of CVE-2026-56865 use tiles unverified.
   */
  async tile(tile: Tile): Promise<LogAnswer<Uint8Array>> {
    const reaching = await this.#headWith(tile);
    if (reaching.kind !== 'proven') return reaching;
    const served = tile.level === 'data' ? undefined : tile;
    const hashes = await this.#verifier.readHashes(tile, reaching.value.head, { served });
    // A head that was taken back meanwhile may be that of another log.
    if (!(await this.#timeline.stands(reaching.value))) return this.tile(tile);
    if (hashes.kind !== 'proven') return this.#noAnswer(hashes);
    const { source, value } = hashes;
    hashes.keepTiles();
    if (served) return { kind: 'proven', value, source };
    const path = formatTilePath(tile);
    return this.#ask(path, { limitBytes: MAX_DATA_TILE_BYTES }, async (bytes) => {
      const check = checkDataTile(bytes, tile, value);
      if (check === 'right') return proven(bytes);
      return check === 'other'
        ? forged(path, OTHER_RECORDS)
        : refuted('a body that is no data tile');
    });
  }

  /** Whether a stored tile is proven. */
  async isStoredTileProven(tile: Tile, bytes: Uint8Array): Promise<boolean> {
    const reaching = await this.#headWith(tile);
    if (reaching.kind !== 'proven') return false;
    const proof = await this.#verifier.proveTile(tile, bytes, reaching.value.head);
    if (!(await this.#timeline.stands(reaching.value))) return this.isStoredTileProven(tile, bytes);
    return this.#report(proof).kind === 'proven';
  }

  /** Asks the database, and accepts the answer of the first address that is proven. */
  async #ask<T>(
    path: string,
    terms: Pick<RemoteQuestion<T>, 'limitBytes' | 'avoid'>,
    prove: (bytes: Uint8Array) => Promise<Proof<T>>,
  ): Promise<LogAnswer<T>> {
    const proveOnce = provingOnce(async (bytes) => this.#report(await prove(bytes)));
    const answer = await this.#options.effects.readRemote(path, {
      ...terms,
      accept: async (bytes) => acceptedIfProven(await proveOnce(bytes)),
    });
    if (answer.kind !== 'accepted') return answer;
    const { effort, origin, value } = answer;
    return { kind: 'proven', value, source: { kind: 'asked', origin, effort } };
  }

  /** Asks for the newest signed tree head. */
  #askHead<T>(
    { avoid }: Pick<RemoteQuestion<T>, 'avoid'>,
    prove: (shown: SignedHead) => Promise<Proof<T>>,
  ): Promise<LogAnswer<T>> {
    const { key } = this.#options;
    return this.#ask('latest', { limitBytes: MAX_LOOKUP_BYTES, avoid }, async (note) => {
      const opened = await openHead(note, { key, path: 'latest' });
      return opened.kind === 'proven' ? prove(opened.value) : opened;
    });
  }

  /** The answer to a question for a tile whose hashes are not proven. */
  #noAnswer({ effort, lacking, reason }: Unproven): NoAnswer {
    if (lacking.kind === 'missing tile' && lacking.answer) return { ...lacking.answer, effort };
    const failure = { origin: this.#options.name, reason: notProven(reason) };
    return { kind: 'failed', failures: [failure], effort };
  }

  /** The latest tree head, which is brought forward until it reaches this tile. */
  async #headWith(tile: Tile): Promise<LogAnswer<SignedHead>> {
    for (;;) {
      const known = await this.#timeline.known();
      const widest = known && widestTile(tile, known.head.size);
      if (known && widest && widest.width >= tile.width) {
        return { kind: 'proven', value: known, source: KNOWN };
      }
      const nothingNewer = await this.#search.next();
      if (nothingNewer) return nothingNewer;
    }
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
