/**
 * Proofs by the log of a checksum database, after golang.org/x/mod/sumdb.
 *
 * The database is a log that only grows. Its key signs tree heads, each of which stands for every
 * record before it. So a look-up counts when its tree head is signed, when that head and the newest
 * known one are one log at two times, and when the record is in it; tiles of hashes prove the last
 * two. A log that shows one history to modferry and another one elsewhere would have to keep both
 * up for ever: the first two heads that meet prove the fork, and the database itself signed the
 * proof.
 *
 * Nothing is remembered here, and nothing is reported: see log-client.ts for both.
 */
import { encodeBase64 } from '../../bytes/base64.ts';
import type { H1 } from '../../bytes/h1.ts';
import { equalBytes } from '../../bytes/equal.ts';
import type { ModulePath } from '../../module/module-path.ts';
import type { Version } from '../../module/version.ts';
import { checkDataTile } from '../../tlog/data-tile.ts';
import { proveTree } from '../../tlog/proof.ts';
import { hasHashLine, type LookupRecord, parseRecord, recordHashes } from '../../tlog/record.ts';
import { equalHashes, recordHash, storedHashIndex } from '../../tlog/stored-hash.ts';
import { formatTilePath, type Tile } from '../../tlog/tile-path.ts';
import { readAuthenticatedHashes, readAuthenticatedTile } from '../../tlog/tile-reader.ts';
import { treeHash } from '../../tlog/tree-hash.ts';
import type { TreeHead } from '../../tlog/tree-head.ts';
import type { VerifierKey } from '../../tlog/verifier-key.ts';
import {
  forged,
  type Proof,
  proven,
  provenAlone,
  provenByTiles,
  type Refuted,
  refuted,
  type TileProof,
  type Unproven,
} from './proof.ts';
import { lookupPath } from '../request.ts';
import { openHead, type SignedHead } from './signed-head.ts';
import type { ProvenReading, ReadingOptions, TileSource } from './tile-source.ts';

/** Far more than a record of some lines and a tree head. */
export const MAX_LOOKUP_BYTES = 64 * 1024;

/** What is wrong with a data tile that has other records. */
export const OTHER_RECORDS = 'records that are not those of the log';

/** A look-up that was proven. */
export interface Lookup {
  /** As the database gave it: a record, and a tree head that has it. */
  readonly bytes: Uint8Array;
  /** The `h1:` hashes of the version. */
  readonly zip: H1;
  readonly mod: H1;
  /** The number of its record in the log. */
  readonly record: number;
}

/** A look-up to be proven. */
export interface LookupClaim {
  readonly module: ModulePath;
  readonly version: Version;
  readonly bytes: Uint8Array;
  /** Finds the place of the look-up's signed head on the timeline that is known. */
  readonly place: (head: SignedHead) => Promise<Place>;
}

/** The place of a signed tree head beside the latest one that is known. */
export interface Place {
  /** The newer one of the two: the tree to prove the record in. */
  readonly newest: SignedHead;
  /** The proof that both are one log, which has begun. */
  readonly compared: Promise<TileProof<SignedHead>>;
  /** Remembers the head, when it and all that came with it is proven. */
  readonly adopt: () => Promise<Proof<SignedHead>>;
}

/** Reads a look-up, without a proof; undefined unless it is one of this version. */
export function readLookup(
  bytes: Uint8Array,
  module: ModulePath,
  version: Version,
): { readonly record: LookupRecord; readonly lookup: Lookup } | undefined {
  const record = parseRecord(bytes);
  const hashes = record && recordHashes(record.text, module, version);
  return hashes && { record, lookup: { bytes, ...hashes, record: record.id } };
}

/** The place of a tree head where none is known. */
export async function placeAlone(head: SignedHead): Promise<Place> {
  const compared = Promise.resolve(provenAlone(head));
  return { newest: head, compared, adopt: async () => proven(head) };
}

export class LogVerifier {
  readonly #key: VerifierKey;
  readonly #tiles: TileSource;

  constructor(key: VerifierKey, tiles: TileSource) {
    this.#key = key;
    this.#tiles = tiles;
  }

  /** Proves that these bytes are the record of the version, in the log. */
  async proveLookup({ bytes, module, version, place }: LookupClaim): Promise<Proof<Lookup>> {
    const read = readLookup(bytes, module, version);
    if (!read) return refuted('a body that is no record of this version');
    const { record, lookup } = read;
    const path = lookupPath(module, version);
    const opened = await openHead(record.note, { key: this.#key, path });
    if (opened.kind !== 'proven') return opened;
    const { head } = opened.value;
    if (hasHashLine(new TextDecoder().decode(record.note))) {
      return forged(path, 'a tree head with lines of hashes, which are in no record');
    }
    if (record.id >= head.size) {
      return forged(path, `a record ${record.id} in a tree of ${head.size}`);
    }
    const { adopt, compared, newest } = await place(opened.value);
    // Side by side, because the tiles of each take a round trip. Neither counts without the other.
    const [consistent, included] = await Promise.all([
      compared,
      this.#proveRecord(record, path, newest.head),
    ]);
    // A record that is another one in the log counts for nothing, also while a tile is missing.
    if (consistent.kind === 'unproven' && included.kind === 'refuted') return included;
    if (consistent.kind !== 'proven') return consistent;
    if (included.kind !== 'proven') return included;
    const adopted = await adopt();
    if (adopted.kind !== 'proven') return adopted;
    consistent.keepTiles();
    included.keepTiles();
    return proven(lookup);
  }

  async #proveRecord(
    { id, text }: LookupRecord,
    path: string,
    head: TreeHead,
  ): Promise<TileProof<LookupRecord['id']>> {
    const read = await this.#tiles.read((reading) =>
      readAuthenticatedHashes(head, [storedHashIndex(0, id)], reading),
    );
    if (read.kind !== 'proven') return read;
    const [hash] = read.value;
    return hash && equalHashes(hash, recordHash(text))
      ? provenByTiles(id, read.keepTiles)
      : forged(path, `record ${id} is another one in the log`);
  }

  /**
   * Proves that two signed tree heads, the smaller tree first, are one log at two times; its value
   * is the newer one (golang.org/x/mod/sumdb checkTrees).
   */
  async compareHeads(older: SignedHead, newer: SignedHead): Promise<TileProof<SignedHead>> {
    if (older.head.size === 0) return provenAlone(newer);
    if (older.head.size === newer.head.size) {
      // Two hashes of one size need no further proof, and the database that shows the second one
      // has no tiles of the first.
      return equalHashes(older.head.hash, newer.head.hash)
        ? provenAlone(newer)
        : fork(`${notes(older, newer)}\nBoth have ${newer.head.size} records.`);
    }
    const read = await this.#tiles.read(async (reading) => {
      const readHashes = (indexes: readonly number[]) =>
        readAuthenticatedHashes(newer.head, indexes, reading);
      const hash = await treeHash(older.head.size, readHashes);
      if (equalHashes(hash, older.head.hash)) return undefined;
      return { hash, path: await proveTree(newer.head.size, older.head.size, readHashes) };
    });
    if (read.kind !== 'proven') return withHeads(read, { older, newer });
    if (!read.value) return provenByTiles(newer, read.keepTiles);
    const { hash, path } = read.value;
    const lines = [
      notes(older, newer),
      `The first ${older.head.size} records of the new tree have the hash ${encodeBase64(hash)}, as these hashes prove:`,
      ...path.map(encodeBase64),
    ];
    return fork(lines.join('\n'));
  }

  /** Proves that these bytes are a tile, of hashes or of records, of a tree that has one there. */
  async proveTile(tile: Tile, bytes: Uint8Array, head: TreeHead): Promise<Proof<Uint8Array>> {
    const own = tile.level === 'data' ? undefined : { tile, bytes };
    const read = await this.readHashes(tile, head, { own });
    if (read.kind !== 'proven') return read;
    const isRight = own
      ? equalBytes(read.value, bytes)
      : checkDataTile(bytes, tile, read.value) === 'right';
    if (isRight) {
      read.keepTiles();
      return proven(bytes);
    }
    return refuted(own ? 'other hashes' : OTHER_RECORDS);
  }

  /**
   * The bytes of a tile of hashes, or the hashes of the records in a data tile. Throws `RangeError`
   * unless the tree has a tile of this width there.
   */
  readHashes(
    tile: Tile,
    head: TreeHead,
    options: ReadingOptions = {},
  ): Promise<ProvenReading<Uint8Array> | Unproven> {
    const hashes: Tile = { ...tile, level: tile.level === 'data' ? 0 : tile.level };
    return this.#tiles.read(async (reading) => {
      const bytes = await readAuthenticatedTile(head, hashes, reading);
      if (bytes) return bytes;
      throw new RangeError(
        `Cannot read ${formatTilePath(hashes)} in a tree of ${head.size} records`,
      );
    }, options);
  }
}

function fork(proof: string): Refuted {
  return refuted(
    'a tree head that is not on the timeline of the one known before: the log has forked',
    { kind: 'fork', proof },
  );
}

/**
 * A log with another history has no tiles of this one. So tiles that do not fit are damaged, or the
 * log has forked and it cannot be proven.
 */
function withHeads(
  unproven: Unproven,
  { newer, older }: { readonly older: SignedHead; readonly newer: SignedHead },
): Unproven {
  if (unproven.lacking.kind !== 'inconsistent tiles') return unproven;
  const reason = `tree heads of ${older.head.size} and ${newer.head.size} records that do not fit together: ${unproven.reason}`;
  return { ...unproven, evidence: { kind: 'forged', path: 'latest', reason } };
}

function notes(older: SignedHead, newer: SignedHead): string {
  const [old, latest] = [older, newer].map(({ note }) => new TextDecoder().decode(note));
  return `Old tree head:\n${old}\nNew tree head:\n${latest}`;
}
