/**
 * A client of a checksum database that believes nothing that it cannot prove, after
 * golang.org/x/mod/sumdb.
 *
 * The database is a log that only grows. Its key signs tree heads, each of which stands for every
 * record before it. So an answer is believed when its tree head is signed, when that head and the
 * latest one known are the same log at two times, and when the record is in it; tiles of hashes,
 * fetched as needed, prove the last two. A log that shows one history to modferry and another one
 * to somebody else would have to keep both up for ever: the first two heads that meet prove the
 * fork, and the proof is signed by the database itself.
 *
 * The latest head is kept in R2 and only ever moves forward, by compare and swap, so that all
 * isolates are on one timeline.
 */
import type { ModulePath } from '../module/module-path.ts';
import type { Version } from '../module/version.ts';
import type { Answer } from '../origins/race/ask.ts';
import { BadAnswer } from '../origins/origin.ts';
import { checkConsistency, ForkedLog } from './consistency.ts';
import type { LogEffects } from './log-effects.ts';
import type { LogMemory, SignedHead } from './log-memory.ts';
import { openNote } from '../tlog/note.ts';
import type { VerifierKey } from '../tlog/verifier-key.ts';
import { type LookupRecord, parseRecord, recordHashes } from '../tlog/record.ts';
import { lookupPath } from './request.ts';
import { formatTilePath, type Tile, tileByteLength } from '../tlog/tile-path.ts';
import { checkDataTile } from '../tlog/data-tile.ts';
import { readAuthenticatedHashes, readAuthenticatedTile } from '../tlog/tile-reader.ts';
import { widestTile } from '../tlog/tile.ts';
import { checkLength, InconsistentTiles, TileUnavailable, withTiles } from './tile-source.ts';
import { equalHashes, recordHash, storedHashIndex } from '../tlog/stored-hash.ts';
import { parseTreeHead } from '../tlog/tree-head.ts';

/** A record of a few lines and a tree head, and a tile of 256 records, in bytes and generously. */
const MAX_LOOKUP = 64 * 1024;
const MAX_DATA_TILE = 4 * 1024 * 1024;

/** How often the common tree head is swapped again when other isolates were faster. */
const MAX_SWAPS = 5;

export interface LogClientOptions {
  readonly name: string;
  readonly key: VerifierKey;
  readonly memory: LogMemory;
  readonly effects: LogEffects;
}

/** A lookup that was proven. */
export interface Lookup {
  /** As the database gave it: a record, and a tree head that has it. */
  readonly bytes: Uint8Array;
  /** The `h1:` hashes of the version. */
  readonly zip: string;
  readonly mod: string;
}

export interface ReadTile {
  readonly bytes: Uint8Array;
  /** False where no tree head is known that reaches so far: then only its length is right. */
  readonly isProven: boolean;
}

export class LogClient {
  readonly #options: LogClientOptions;

  constructor(options: LogClientOptions) {
    this.#options = options;
  }

  /**
   * The hashes of a version: from a lookup in the cache if there is one, else from the database.
   */
  async hashes(module: ModulePath, version: Version): Promise<Answer<Lookup>> {
    const path = lookupPath(module, version);
    const { effects } = this.#options;
    const cached = await effects.readCache(path);
    const known = cached && (await this.#verify(cached, module, version).catch(() => undefined));
    if (known)
      return { kind: 'accepted', value: known, origin: 'cache', attempts: 0, failures: [] };
    const answer = await this.lookup(module, version);
    if (answer.kind === 'accepted') {
      effects.writeCache(path, answer.value.bytes, { heals: cached !== undefined });
    }
    return answer;
  }

  /** The record of a version, asked of the database and proven. */
  lookup(module: ModulePath, version: Version): Promise<Answer<Lookup>> {
    return this.#options.effects.readRemote(lookupPath(module, version), {
      limit: MAX_LOOKUP,
      accept: (bytes) => this.#verify(bytes, module, version),
    });
  }

  /** The newest signed tree head: what the database says, or what is known if that is newer. */
  latest(): Promise<Answer<Uint8Array>> {
    const { effects, memory, name } = this.#options;
    return effects.readRemote('latest', {
      limit: MAX_LOOKUP,
      accept: async (note) => {
        const said = await this.#open(note, 'latest');
        const before = (await this.#known())?.head.size ?? 0;
        await this.#merge(said);
        if (said.head.size < before) {
          const proof = `${new TextDecoder().decode(memory.latest?.note)}\n${new TextDecoder().decode(note)}`;
          effects.alarm({ kind: 'rollback', database: name, proof });
        }
        return memory.latest?.note ?? note;
      },
    });
  }

  /** A tile of hashes or of records, proven as far as the latest tree head reaches. */
  async tile(tile: Tile): Promise<Answer<ReadTile>> {
    const hashes: Tile = { ...tile, level: tile.level === 'data' ? 0 : tile.level };
    try {
      const tree = await this.#reaching(hashes);
      if (tree.kind !== 'accepted') return tree;
      if (!tree.value) return await this.#unproven(tile);
      return await this.#proven(tile, { hashes, tree: tree.value });
    } catch (error) {
      if (error instanceof TileUnavailable) return error.answer;
      if (!(error instanceof BadAnswer)) throw error;
      const failure = { origin: this.#options.name, cause: 'answer', text: error.message } as const;
      return { kind: 'failed', failures: [failure], attempts: 1 };
    }
  }

  async #proven(
    tile: Tile,
    { hashes, tree }: { readonly hashes: Tile; readonly tree: SignedHead },
  ): Promise<Answer<ReadTile>> {
    const { bytes, origins } = await withTiles(this.#options, async (reading) => ({
      bytes: await readAuthenticatedTile(
        tree.head,
        hashes,
        reading.readTiles,
        reading.onAuthenticated,
      ),
      origins: reading.origins,
    }));
    if (!bytes) return this.#unproven(tile);
    if (tile.level === 'data') {
      return this.#options.effects.readRemote(formatTilePath(tile), {
        limit: MAX_DATA_TILE,
        accept(records) {
          if (checkDataTile(records, tile, bytes)) return { bytes: records, isProven: true };
          throw new BadAnswer('records that are not those of the log');
        },
      });
    }
    const [origin = 'cache'] = origins;
    const value = { bytes, isProven: true };
    return { kind: 'accepted', value, origin, attempts: origins.size, failures: [] };
  }

  /**
   * Beyond the latest tree head that the database shows: an address that lags behind another one.
   */
  #unproven(tile: Tile): Promise<Answer<ReadTile>> {
    return this.#options.effects.readRemote(formatTilePath(tile), {
      limit: tileByteLength(tile) ?? MAX_DATA_TILE,
      accept(bytes) {
        checkLength(tile, bytes);
        return { bytes, isProven: false };
      },
    });
  }

  /**
   * The latest tree head, if it has this tile; the database is asked for a newer one if the known
   * one has not.
   */
  async #reaching(tile: Tile): Promise<Answer<SignedHead | undefined>> {
    const reaches = (known: SignedHead | undefined) => {
      const widest = known && widestTile({ level: tile.level, index: tile.index }, known.head.size);
      return widest && widest.width >= tile.width ? known : undefined;
    };
    const known = reaches(await this.#known());
    if (known)
      return { kind: 'accepted', value: known, origin: 'cache', attempts: 0, failures: [] };
    const answer = await this.latest();
    return answer.kind === 'accepted'
      ? { ...answer, value: reaches(this.#options.memory.latest) }
      : answer;
  }

  /** Throws `BadAnswer` unless this is the record of the version, in the log. */
  async #verify(bytes: Uint8Array, module: ModulePath, version: Version): Promise<Lookup> {
    const record = parseRecord(bytes);
    const hashes = record && recordHashes(record.text, module, version);
    if (!record || !hashes) throw new BadAnswer('a body that is no record of this version');
    const path = lookupPath(module, version);
    const said = await this.#open(record.note, path);
    if (record.id >= said.head.size) {
      throw this.#forged(path, `a record ${record.id} in a tree of ${said.head.size}`);
    }
    await this.#prove(record, path, await this.#merge(said));
    return { bytes, ...hashes };
  }

  /** Throws `BadAnswer` unless the record is in the tree. */
  async #prove({ id, text }: LookupRecord, path: string, { head }: SignedHead): Promise<void> {
    const [hash] = await this.#read((reading) =>
      readAuthenticatedHashes(
        head,
        [storedHashIndex(0, id)],
        reading.readTiles,
        reading.onAuthenticated,
      ),
    );
    if (!hash || !equalHashes(hash, recordHash(text))) {
      throw this.#forged(path, `record ${id} is another one in the log`);
    }
  }

  /**
   * A tile that cannot be had is the fault of whoever gave the answer that it would have proven, as
   * far as can be told.
   */
  async #read<T>(prove: Parameters<typeof withTiles<T>>[1]): Promise<T> {
    try {
      return await withTiles(this.#options, prove);
    } catch (error) {
      if (error instanceof TileUnavailable) throw new BadAnswer(error.message, { cause: error });
      throw error;
    }
  }

  /** Throws `BadAnswer` unless the database has signed this tree head. */
  async #open(note: Uint8Array, path: string): Promise<SignedHead> {
    const opened = await openNote(note, this.#options.key);
    if (opened.kind === 'malformed') throw new BadAnswer(`no signed tree head: ${opened.reason}`);
    if (opened.kind !== 'verified') throw this.#forged(path, opened.reason);
    const head = parseTreeHead(opened.text);
    if (!head) throw new BadAnswer('a signed note that is no tree head');
    return { head, note };
  }

  #forged(path: string, reason: string): BadAnswer {
    const { effects, name } = this.#options;
    effects.alarm({ kind: 'forged', database: name, path, reason });
    return new BadAnswer(reason);
  }

  /** The latest tree head of this isolate, at first that of all. */
  async #known(): Promise<SignedHead | undefined> {
    const { effects, memory } = this.#options;
    if (memory.latest) return memory.latest;
    const stored = await effects.readLatest();
    const opened = stored && (await this.#open(stored.bytes, 'latest').catch(() => undefined));
    return (memory.latest ??= opened);
  }

  /**
   * The latest tree head, now that this one was seen: itself, if it is newer. Throws `BadAnswer`,
   * and raises the alarm, when the two are not one log.
   */
  async #merge(said: SignedHead): Promise<SignedHead> {
    const { memory } = this.#options;
    for (;;) {
      const known = await this.#known();
      if (known && said.head.size <= known.head.size) {
        await this.#checkConsistency(said, known);
        return known;
      }
      if (known) await this.#checkConsistency(known, said);
      if (memory.latest !== known) continue; // another request was faster
      memory.latest = said;
      return this.#publish(said);
    }
  }

  /** Moves the common tree head forward. Returns the latest one, which may be somebody else's. */
  async #publish(said: SignedHead): Promise<SignedHead> {
    const { effects, memory } = this.#options;
    for (let round = 0; round < MAX_SWAPS; round++) {
      const stored = await effects.readLatest();
      const theirs = stored && (await this.#open(stored.bytes, 'latest').catch(() => undefined));
      if (theirs && theirs.head.size >= said.head.size) {
        // What all have in common counts, whatever comes of the comparison.
        if (memory.latest === said) memory.goBackTo(theirs);
        await this.#checkConsistency(said, theirs);
        return theirs;
      }
      if (theirs) {
        await this.#checkConsistency(theirs, said).catch((error: unknown) => {
          memory.goBackTo(theirs); // what all have in common is older than what this isolate took for good
          throw error;
        });
      }
      if (await effects.swapLatest(stored?.known, said.note)) return said;
    }
    return said; // R2 is not itself, and the next newer head is another occasion
  }

  async #checkConsistency(older: SignedHead, newer: SignedHead): Promise<void> {
    const { memory } = this.#options;
    if (memory.isConsistent(older.head) && memory.latest === newer) return;
    try {
      await this.#read((reading) => checkConsistency(older, newer, reading));
    } catch (error) {
      const { effects, name } = this.#options;
      if (error instanceof ForkedLog)
        effects.alarm({ kind: 'fork', database: name, proof: error.proof });
      else if (error instanceof InconsistentTiles) {
        // Whoever shows another history has no tiles of this one: damage, or a fork that cannot be
        // proven.
        const reason = `tree heads of ${older.head.size} and ${newer.head.size} records that do not fit together: ${error.message}`;
        effects.alarm({ kind: 'forged', database: name, path: 'latest', reason });
      }
      throw error;
    }
    memory.keepConsistent(older.head);
  }
}
