import type { Background } from '../../effects/background.ts';
import type { Emit } from '../../effects/emit.ts';
import { etagOf } from '../../store/etag.ts';
import { checksumKey } from '../../store/key.ts';
import type { LayeredStore } from '../../store/layered.ts';
import type { Database } from '../database.ts';
import type { LogEvent } from '../events.ts';
import { type Ask, type ReadRemote, remoteReader } from './remote-reader.ts';

/** Everything that a client of a checksum database may touch. */
export interface LogEffects extends TileEffects, HeadEffects {
  readonly readRemote: ReadRemote;
  readonly emit: Emit<LogEvent>;
}

/** What reading the tiles of a log may touch. */
export interface TileEffects extends CacheEffects {
  /** Absent where no address of the database may be asked. */
  readonly readRemote?: ReadRemote | undefined;
}

/**
 * Where proven files of a database are kept. Paths are those of the database, without a leading
 * slash.
 */
export interface CacheEffects {
  /**
   * The stored file, or undefined. Anything may have written it, so it is verified as an answer is.
   */
  readCache(path: string): Promise<Uint8Array | undefined>;
  /**
   * Keeps a proven file. `heals` where a stored one is damaged, which is then replaced. Does not
   * wait.
   */
  writeCache(path: string, bytes: Uint8Array, options: { readonly heals: boolean }): void;
}

/** The latest tree head, which all isolates have in common. */
export interface HeadEffects {
  /** The signed note, with the version that `swapLatest` takes. Never rejects. */
  readLatest(): Promise<{ readonly bytes: Uint8Array; readonly known: string } | undefined>;
  /**
   * Replaces the note of version `known`; false, and nothing is written, when another one is there
   * by now. Never rejects.
   */
  swapLatest(known: string | undefined, note: Uint8Array): Promise<boolean>;
}

/** What the effects of a request's log clients are made of. */
export interface LogResources extends CacheResources {
  readonly ask: Ask;
  readonly emit: Emit<LogEvent>;
}

export interface CacheResources {
  readonly store: LayeredStore;
  readonly background: Background;
}

/** The effects of one request: origins, and the layered store. */
export function logEffects(database: Database, resources: LogResources): LogEffects {
  const { ask, emit, store } = resources;
  const latest = checksumKey(database.name, 'latest');
  return {
    ...cacheEffects(database, resources),
    readRemote: remoteReader(database, ask),
    readLatest: () => store.readForSwap(latest),
    async swapLatest(known, note) {
      return store.swap(latest, known, { bytes: note, etag: etagOf(note) });
    },
    emit,
  };
}

/** Keeps the files of a database in the near and the durable tier. */
export function cacheEffects(
  { name }: Pick<Database, 'name'>,
  { background, store }: CacheResources,
): CacheEffects {
  const inWorldTier = false;
  return {
    async readCache(path) {
      const hit = await store.findWhole(checksumKey(name, path), { inWorldTier });
      return hit?.file.bytes;
    },
    writeCache(path, bytes, { heals }) {
      const keep = async () => {
        const file = { bytes, etag: etagOf(bytes), checked: 'proven' } as const;
        const durable = heals ? 'replace' : 'create';
        await store.keep(checksumKey(name, path), file, { inWorldTier, durable });
      };
      background('keep checksums', keep());
    },
  };
}
