import type { Carrier } from '../mirror/carrier.ts';
import type { Answer } from '../origins/race/ask.ts';
import { etagOf } from '../store/etag.ts';
import { bytesOf } from '../store/guard.ts';
import { checksumKey } from '../store/key.ts';
import type { Alarm } from '../telemetry/security-event.ts';
import type { Database } from './database.ts';

/**
 * Everything that a client of a checksum database may touch. Paths are those of the database,
 * without a leading slash.
 */
export interface LogEffects {
  /**
   * Asks the addresses of the database in turn, those in `avoid` left out, until `accept` takes an
   * answer of at most `limit` bytes. `accept` throws `BadAnswer` to have the next one asked. Never
   * rejects.
   */
  readRemote<T>(path: string, question: RemoteQuestion<T>): Promise<Answer<T>>;
  /**
   * What `writeCache` once got, or undefined. Not to be believed: it is verified like an answer.
   * Never rejects.
   */
  readCache(path: string): Promise<Uint8Array | undefined>;
  /**
   * Keeps what was verified; `heals` where it takes the place of what turned out to be damaged.
   * Does not wait.
   */
  writeCache(path: string, bytes: Uint8Array, options: { readonly heals: boolean }): void;
  /**
   * The newest tree head that anybody has trusted so far, with what `swapLatest` knows it by. Never
   * rejects.
   */
  readLatest(): Promise<{ readonly bytes: Uint8Array; readonly known: string } | undefined>;
  /**
   * Puts `note` in its place; false if somebody else was faster, and then nothing is written. Never
   * rejects.
   */
  swapLatest(known: string | undefined, note: Uint8Array): Promise<boolean>;
  readonly alarm: Alarm;
}

export interface RemoteQuestion<T> {
  readonly limit: number;
  /** Names of addresses. */
  readonly avoid?: ReadonlySet<string>;
  readonly accept: (bytes: Uint8Array) => T | Promise<T>;
}

/**
 * The effects of one request: origins for the remote, the layered store for the cache, R2 for the
 * tree head.
 */
export function logEffects(
  { name, origins }: Database,
  { alarm, ask, background, store }: Pick<Carrier, 'alarm' | 'ask' | 'background' | 'store'>,
): LogEffects {
  const latest = checksumKey(name, 'latest');
  return {
    alarm,
    readRemote: (path, { accept, avoid, limit }) =>
      ask(
        origins.filter((origin) => !avoid?.has(origin.name)),
        {
          path: `/${path}`,
          is400Missing: false,
          accept: async (body) => accept(await body.all(limit)),
        },
      ),
    async readCache(path) {
      const hit = await store.findSmall(checksumKey(name, path), { kv: false });
      return hit && bytesOf(hit.file.body);
    },
    writeCache(path, bytes, { heals }) {
      const key = checksumKey(name, path);
      const write = async () => {
        const file = { bytes, etag: await etagOf(bytes), checked: 'proven' } as const;
        await (heals
          ? store.replace(key, file, { kv: false })
          : store.keep(key, file, { kv: false }));
      };
      background('keep checksums', write());
    },
    readLatest: () => store.readForSwap(latest),
    async swapLatest(known, note) {
      return store.swap(latest, known, { bytes: note, etag: await etagOf(note) });
    },
  };
}
