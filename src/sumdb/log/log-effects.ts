import type { Background } from '../../effects/background.ts';
import type { Clock } from '../../effects/clock.ts';
import type { Emit } from '../../effects/emit.ts';
import { etagOf } from '../../store/etag.ts';
import { checksumKey } from '../../store/key.ts';
import type { LayeredStore } from '../../store/layered.ts';
import type { HashPairs } from '../../tlog/hash-tile.ts';
import type { Database } from '../database.ts';
import type { LogEvent } from '../events.ts';
import { type Ask, type ReadRemote, remoteReader } from './remote-reader.ts';

/** Everything that a client of a checksum database may touch. */
export interface LogEffects extends TileEffects, LookupEffects, HeadEffects {
  readonly readRemote: ReadRemote;
  readonly emit: Emit<LogEvent>;
  readonly background: Background;
  readonly clock: Clock;
  /** Called with the size of each tree that was proven. It does not wait. */
  readonly observe?: ((size: number) => void) | undefined;
}

/** What reading the tiles of a log may touch. */
export interface TileEffects extends CacheEffects {
  /** Absent where no address of the database may be asked. */
  readonly readRemote?: ReadRemote | undefined;
  /**
   * Whether partial tiles are looked for in the cache. Each belongs to one tree head, so modferry
   * itself does not store those of its proofs.
   */
  readonly hasPartialTiles: boolean;
  /** Hashes tiles. Default: in native code, hash by hash. */
  readonly hashPairs?: HashPairs | undefined;
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

/** Where proven look-ups are kept. */
export interface LookupEffects extends CacheEffects {
  /** A stored look-up, and whether it was proven when it was stored. */
  readLookup(path: string): Promise<StoredLookup | undefined>;
}

export interface StoredLookup {
  readonly bytes: Uint8Array;
  readonly wasProven: boolean;
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
export interface LogResources {
  readonly ask: Ask;
  readonly emit: Emit<LogEvent>;
  readonly store: LayeredStore;
  readonly background: Background;
  readonly clock: Clock;
  readonly hashPairs?: HashPairs | undefined;
  readonly observe?: LogEffects['observe'];
}

/** The effects of one request: origins, and the layered store. */
export function logEffects(database: Database, resources: LogResources): LogEffects {
  const { ask, background, clock, emit, hashPairs, observe, store } = resources;
  const latest = checksumKey(database.name, 'latest');
  return {
    ...cacheEffects(database, resources),
    hasPartialTiles: false,
    hashPairs,
    readRemote: remoteReader(database, ask),
    readLatest: () => store.readForSwap(latest),
    async swapLatest(known, note) {
      return store.swap(latest, known, { bytes: note, etag: etagOf(note) });
    },
    emit,
    background,
    clock,
    observe,
  };
}

/** Keeps the files that modferry itself needs of a database. Within a request, each once. */
function cacheEffects(
  { name }: Pick<Database, 'name'>,
  { background, store }: Pick<LogResources, 'background' | 'store'>,
): LookupEffects {
  const written = new Set<string>();
  return {
    readCache: async (path) => (await store.findOwn(checksumKey(name, path)))?.bytes,
    async readLookup(path) {
      const file = await store.findOwn(checksumKey(name, path));
      return file && { bytes: file.bytes, wasProven: file.checked === 'proven' };
    },
    writeCache(path, bytes, { heals }) {
      if (written.has(path)) return;
      written.add(path);
      const file = { bytes, etag: etagOf(bytes), checked: 'proven' } as const;
      const kept = store.keepOwn(checksumKey(name, path), file, heals ? 'replace' : 'create');
      background('keep checksums', kept);
    },
  };
}
