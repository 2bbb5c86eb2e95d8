import type { Clock } from '../../effects/clock.ts';

type DataCentreCache = Pick<Cache, 'match' | 'put' | 'delete'>;

/**
 * The cache of this data centre: `caches.default`, Cloudflare's own addition to the Cache API.
 * Throws where the runtime has none.
 */
export function dataCentreCache(storage: object): DataCentreCache {
  const cache: unknown = Reflect.get(storage, 'default');
  if (!isCache(cache)) throw new Error('Cannot find caches.default in this runtime');
  return cache;
}

function isCache(value: unknown): value is DataCentreCache {
  return typeof value === 'object' && value !== null && 'match' in value && 'put' in value;
}

/**
 * The address of an entry in the cache, under a host name of this deployment
 * (docs/decisions/006). No client can read it: the Worker serves no file below `/-/edge/`.
 */
export function entryAddress(host: string, name: string): string {
  return `https://${host}/-/edge/${encodeURIComponent(name)}`;
}

export interface EntriesEffects {
  readonly clock: Pick<Clock, 'now'>;
  /**
   * A host name of this deployment, asked for at each call. Without one the cache is not used:
   * entries under a foreign name may never be found (docs/decisions/006).
   */
  readonly host: () => string | undefined;
}

/** A header of our own for the time at which an entry expires, in Unix milliseconds. */
const UNTIL = 'X-Modferry-Until';

/**
 * The entries of this deployment in the cache of this data centre. It may evict anything at any
 * time, and is never needed for correctness.
 *
 * `clock` decides when an entry has expired, so that tests need not wait. `max-age` is only a hint
 * to the platform.
 */
export class DataCentreEntries {
  readonly #cache: DataCentreCache;
  readonly #effects: EntriesEffects;

  constructor(cache: DataCentreCache, effects: EntriesEffects) {
    this.#cache = cache;
    this.#effects = effects;
  }

  /** The entry; undefined when there is none or it has expired. */
  async match(name: string): Promise<Response | undefined> {
    const address = this.#addressOf(name);
    const response = address === undefined ? undefined : await this.#cache.match(address);
    if (!response) return undefined;
    if (this.#effects.clock.now() < Number(response.headers.get(UNTIL))) return response;
    await response.body?.cancel();
    return undefined;
  }

  async put(
    name: string,
    body: BodyInit,
    { headers, seconds }: { readonly headers?: HeadersInit; readonly seconds: number },
  ): Promise<void> {
    const address = this.#addressOf(name);
    if (address === undefined) return;
    const all = new Headers(headers);
    all.set('Cache-Control', `public, max-age=${seconds}`);
    all.set(UNTIL, String(this.#effects.clock.now() + seconds * 1000));
    await this.#cache.put(address, new Response(body, { headers: all }));
  }

  async remove(name: string): Promise<void> {
    const address = this.#addressOf(name);
    if (address !== undefined) await this.#cache.delete(address);
  }

  #addressOf(name: string): string | undefined {
    const host = this.#effects.host();
    return host === undefined ? undefined : entryAddress(host, name);
  }
}
