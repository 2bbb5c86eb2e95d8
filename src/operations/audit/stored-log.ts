import { BadAnswer } from '../../origins/origin.ts';
import type { Answer } from '../../origins/race/ask.ts';
import type { ModulePath } from '../../module/module-path.ts';
import type { Version } from '../../module/version.ts';
import { checksumKey } from '../../store/key.ts';
import { ForkedLog } from '../../sumdb/consistency.ts';
import { LogClient, type Lookup } from '../../sumdb/log-client.ts';
import type { LogEffects, RemoteQuestion } from '../../sumdb/log-effects.ts';
import { LogMemory, type SignedHead } from '../../sumdb/log-memory.ts';
import type { Database } from '../../sumdb/database.ts';
import { lookupPath } from '../../sumdb/request.ts';
import { TileUnavailable } from '../../sumdb/tile-source.ts';
import type { AuditedTree } from './tree.ts';

/** Asks the addresses of a database; see `LogEffects.readRemote`. */
export type ReadRemote = <T>(
  database: Database,
  path: string,
  question: RemoteQuestion<T>,
) => Promise<Answer<T>>;

export interface StoredLogOptions {
  readonly database: Database;
  readonly tree: Pick<AuditedTree, 'read'>;
  /** Every tree head in the tree that the database has signed, the smallest log first. */
  readonly heads: readonly SignedHead[];
  /** Absent offline: then the audited tree is all there is. */
  readonly readRemote?: ReadRemote | undefined;
}

/** Whether something is in the log. */
export type Proof<T> =
  | { readonly kind: 'proven'; readonly value: T }
  /** It may be: tiles are missing that would tell. */
  | { readonly kind: 'unproven'; readonly reason: string }
  | { readonly kind: 'refuted'; readonly reason: string; readonly proof?: string };

/**
 * The log of a checksum database as far as the audited tree has it. Nothing is believed for being
 * there: a lookup counts when its record is proven to be in the newest tree that the database has
 * signed, and where the tiles for that were never stored, in the tree that the lookup itself names.
 * That one is signed as well, and is what a go command would believe that meets the database for
 * the first time.
 */
export class StoredLog {
  readonly #options: StoredLogOptions;
  readonly #memory = new LogMemory();

  constructor(options: StoredLogOptions) {
    this.#options = options;
  }

  /**
   * The hashes of a version: from the stored lookup if that is proven, else from the database, if
   * it may be asked.
   */
  async hashes(module: ModulePath, version: Version): Promise<Answer<Lookup>> {
    const { database, tree, readRemote } = this.#options;
    const path = lookupPath(module, version);
    const stored = await tree.read(checksumKey(database.name, path));
    const proof = stored && (await this.proveLookup(stored, module, version));
    if (proof?.kind === 'proven') {
      return {
        kind: 'accepted',
        value: proof.value,
        origin: 'the tree',
        attempts: 0,
        failures: [],
      };
    }
    if (readRemote) return this.#client(this.#memory).lookup(module, version);
    return unavailable(
      proof ? `${path} is ${proof.kind}: ${proof.reason}` : `${path} is not stored`,
    );
  }

  /** Whether these bytes are the record of the version, in the log. */
  async proveLookup(
    bytes: Uint8Array,
    module: ModulePath,
    version: Version,
  ): Promise<Proof<Lookup>> {
    const path = lookupPath(module, version);
    const ask = (memory: LogMemory, latest?: SignedHead) =>
      prove((judge) =>
        this.#client(memory, { path, bytes, judge, latest }).lookup(module, version),
      );
    const proof = await ask(this.#memory, this.#options.heads.at(-1));
    if (proof.kind !== 'unproven') return proof;
    const alone = await ask(new LogMemory());
    return alone.kind === 'proven' ? alone : proof;
  }

  /** Whether this signed tree head is one log with the newest one. */
  proveHead(note: Uint8Array): Promise<Proof<Uint8Array>> {
    const latest = this.#options.heads.at(-1);
    return prove((judge) =>
      this.#client(new LogMemory(), { path: 'latest', bytes: note, judge, latest }).latest(),
    );
  }

  #client(memory: LogMemory, presented?: Presented): LogClient {
    const { database } = this.#options;
    const { name, key } = database;
    return new LogClient({ name, key, memory, effects: this.#effects(presented) });
  }

  #effects(presented: Presented | undefined): LogEffects {
    const { database, heads, readRemote, tree } = this.#options;
    const latest = presented ? presented.latest : heads.at(-1);
    return {
      alarm: () => {}, // an audit reports what it finds
      readCache: (path) => tree.read(checksumKey(database.name, path)),
      writeCache: () => {},
      readLatest: async () => latest && { bytes: latest.note, known: '' },
      swapLatest: async () => true,
      async readRemote(path, question) {
        if (presented?.path === path) return presented.judge(presented.bytes, question.accept);
        return readRemote
          ? readRemote(database, path, question)
          : unavailable(`${path} is not stored`);
      },
    };
  }
}

/**
 * A file of the tree that takes the place of the database's answer, so that it is judged like one.
 */
interface Presented {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly judge: Judge;
  readonly latest: SignedHead | undefined;
}

type Judge = <T>(bytes: Uint8Array, accept: RemoteQuestion<T>['accept']) => Promise<Answer<T>>;

/** Runs `ask`, and says why what it was told was not accepted. */
async function prove<T>(ask: (judge: Judge) => Promise<Answer<T>>): Promise<Proof<T>> {
  let refused: BadAnswer | undefined;
  const answer = await ask(async (bytes, accept) => {
    try {
      return {
        kind: 'accepted',
        value: await accept(bytes),
        origin: 'the tree',
        attempts: 0,
        failures: [],
      };
    } catch (error) {
      if (!(error instanceof BadAnswer)) throw error;
      refused = error;
      return unavailable(error.message);
    }
  });
  if (answer.kind === 'accepted') return { kind: 'proven', value: answer.value };
  const reason = refused?.message ?? 'no answer';
  if (refused instanceof ForkedLog) return { kind: 'refuted', reason, proof: refused.proof };
  const lacksTiles = refused === undefined || refused.cause instanceof TileUnavailable;
  return { kind: lacksTiles ? 'unproven' : 'refuted', reason };
}

function unavailable(text: string): Extract<Answer<never>, { kind: 'failed' }> {
  return {
    kind: 'failed',
    failures: [{ origin: 'the tree', cause: 'unreachable', text }],
    attempts: 0,
  };
}
