import { systemClock } from '../../effects/clock.ts';
import type { ModulePath } from '../../module/module-path.ts';
import type { Version } from '../../module/version.ts';
import { checksumKey } from '../../store/key.ts';
import { readWhole, type StoredTree } from '../../store/stored-tree.ts';
import type { LookupAnswer, LookupSource } from '../../sumdb/checksums.ts';
import type { Database } from '../../sumdb/database.ts';
import type { TileEffects } from '../../sumdb/log/log-effects.ts';
import { LogMemory } from '../../sumdb/log/log-memory.ts';
import {
  type Lookup,
  LogVerifier,
  MAX_LOOKUP_BYTES,
  type Place,
  placeAlone,
} from '../../sumdb/log/log-verifier.ts';
import {
  acceptedIfProven,
  type Proof,
  proven,
  provenAlone,
  type TileProof,
} from '../../sumdb/log/proof.ts';
import { type Ask, type ReadRemote, remoteReader } from '../../sumdb/log/remote-reader.ts';
import { lookupPath } from '../../sumdb/request.ts';
import { inOrder, type SignedHead } from '../../sumdb/log/signed-head.ts';
import { readStoredTile } from '../../sumdb/log/reading.ts';
import { TileSource } from '../../sumdb/log/tile-source.ts';
import { formatTilePath, type Tile } from '../../tlog/tile-path.ts';
import type { TreeHead } from '../../tlog/tree-head.ts';

export interface StoredLogOptions {
  readonly database: Database;
  readonly tree: Pick<StoredTree, 'read'>;
  /** Every tree head in the tree that the database has signed, the smallest log first. */
  readonly heads: readonly SignedHead[];
  /** Asks the database. Absent offline: then the audited tree is all there is. */
  readonly ask?: Ask | undefined;
}

/**
 * The log of a checksum database as far as the audited tree has it. That a file is there proves
 * nothing: a look-up counts when its record is proven to be in the newest tree that the database
 * has signed, and where the tiles for that were never stored, in the tree that the look-up itself
 * names. That one is signed as well, and a go command that meets the database for the first time
 * takes it.
 */
export class StoredLog implements LookupSource {
  readonly name: string;
  readonly database: Database;
  readonly heads: readonly SignedHead[];
  readonly #tree: Pick<StoredTree, 'read'>;
  readonly #readRemote: ReadRemote | undefined;
  readonly #memory = new LogMemory(systemClock);
  /** With what was proven before. */
  readonly #verifier: LogVerifier;
  /** Without, so that the verdict on a file does not depend on those that were judged before. */
  readonly #freshVerifier: LogVerifier;

  constructor({ ask, database, heads, tree }: StoredLogOptions) {
    const { key, name } = database;
    this.name = name;
    this.database = database;
    this.heads = heads;
    this.#tree = tree;
    this.#readRemote = ask && remoteReader(database, ask);
    const effects: TileEffects = {
      readRemote: this.#readRemote,
      readCache: (path) => this.#read(path),
      hasPartialTiles: true,
      writeCache: () => {}, // an audit writes nothing
    };
    this.#verifier = new LogVerifier(key, new TileSource(effects, this.#memory));
    this.#freshVerifier = new LogVerifier(key, new TileSource(effects));
  }

  /** Whether the database may be asked. */
  get isOnline(): boolean {
    return this.#readRemote !== undefined;
  }

  /** The stored look-up of a version if it is proven, else that of the database. */
  async find(module: ModulePath, version: Version): Promise<LookupAnswer> {
    const path = lookupPath(module, version);
    const stored = await this.#read(path);
    const proof = stored && (await this.proveLookup(stored, module, version));
    if (proof?.kind === 'proven') return proof;
    if (this.#readRemote) return this.#ask(this.#readRemote, module, version);
    const text = proof ? `${path} is ${proof.kind}: ${proof.reason}` : `${path} is not stored`;
    return {
      kind: 'failed',
      failures: [{ origin: 'the tree', reason: { kind: 'unchecked', text } }],
    };
  }

  async #ask(readRemote: ReadRemote, module: ModulePath, version: Version): Promise<LookupAnswer> {
    const answer = await readRemote(lookupPath(module, version), {
      limitBytes: MAX_LOOKUP_BYTES,
      accept: async (bytes) =>
        acceptedIfProven(await this.#proveBesideNewest(bytes, module, version)),
    });
    return answer.kind === 'accepted' ? { kind: 'proven', value: answer.value } : answer;
  }

  /** Proves that these bytes are the record of the version, in the log. */
  async proveLookup(
    bytes: Uint8Array,
    module: ModulePath,
    version: Version,
  ): Promise<Proof<Lookup>> {
    const proof = await this.#proveBesideNewest(bytes, module, version);
    if (proof.kind !== 'unproven') return proof;
    // As a client proves it that knows no tree head.
    const claim = { bytes, module, version, place: placeAlone };
    const alone = await this.#freshVerifier.proveLookup(claim);
    return alone.kind === 'proven' ? alone : proof;
  }

  #proveBesideNewest(
    bytes: Uint8Array,
    module: ModulePath,
    version: Version,
  ): Promise<Proof<Lookup>> {
    const place = (head: SignedHead) => this.#placeBesideNewest(head);
    return this.#verifier.proveLookup({ bytes, module, version, place });
  }

  async #placeBesideNewest(head: SignedHead): Promise<Place> {
    const newest = this.heads.at(-1);
    if (!newest) return placeAlone(head);
    const [, newer] = inOrder(newest, head);
    return { newest: newer, compared: this.proveHead(head), adopt: async () => proven(newer) };
  }

  /** Proves that a signed tree head is one log with the newest stored one: the newer of the two. */
  async proveHead(signed: SignedHead): Promise<TileProof<SignedHead>> {
    const newest = this.heads.at(-1);
    if (!newest) return provenAlone(signed);
    const [older, newer] = inOrder(newest, signed);
    if (newer === newest && this.#memory.isConsistent(older.head)) return provenAlone(newest);
    const compared = await this.#verifier.compareHeads(older, newer);
    if (compared.kind === 'proven') compared.keepTiles();
    if (compared.kind === 'proven' && newer === newest) this.#memory.keepConsistent(older.head);
    return compared;
  }

  /** Proves that these bytes are a tile of a tree which has one there. */
  proveTile(tile: Tile, bytes: Uint8Array, head: TreeHead): Promise<Proof<Uint8Array>> {
    return this.#freshVerifier.proveTile(tile, bytes, head);
  }

  /** As `proveTile`, with every other tile from the database itself. */
  proveTileOnline(tile: Tile, bytes: Uint8Array, head: TreeHead): Promise<Proof<Uint8Array>> {
    const effects: TileEffects = {
      readRemote: this.#readRemote,
      readCache: async () => undefined,
      hasPartialTiles: false,
      writeCache: () => {},
    };
    const verifier = new LogVerifier(this.database.key, new TileSource(effects));
    return verifier.proveTile(tile, bytes, head);
  }

  /** A stored tile of the right length. */
  readTile(tile: Tile): Promise<Uint8Array | undefined> {
    return readStoredTile(tile, (stored) => this.#read(formatTilePath(stored)));
  }

  #read(path: string): Promise<Uint8Array | undefined> {
    return readWhole(this.#tree, checksumKey(this.name, path));
  }
}
