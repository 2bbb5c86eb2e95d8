import { bodyInit } from '../../bytes/streams.ts';
import type { Clock } from '../../effects/clock.ts';
import * as v from 'valibot';
import {
  type CopyLife,
  type FileToStore,
  type NearStore,
  parseChecked,
} from '../../store/contract.ts';
import type { StoreKey } from '../../store/key.ts';

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

/**
 * The Cache API of this data centre as the near tier. It may evict anything at any time, and is
 * never needed for correctness.
 *
 * Headers of our own hold the times, and are compared with `clock`, so that tests need not wait.
 * `max-age` is only a hint to the platform. `host` is a host name of this deployment.
 */
export function edgeCache(
  cache: DataCentreCache,
  { clock, host }: { readonly clock: Pick<Clock, 'now'>; readonly host: string },
): NearStore {
  const addressOf = (key: StoreKey) => entryAddress(host, key);

  async function put(key: StoreKey, { body, headers, life }: NewEntry): Promise<void> {
    const response = new Response(body, {
      headers: {
        ...headers,
        'Cache-Control': `public, max-age=${life.seconds}`,
        'X-Modferry-As-Of': String(life.asOf),
        'X-Modferry-Until': String(clock.now() + life.seconds * 1000),
      },
    });
    await cache.put(addressOf(key), response);
  }

  return {
    label: 'edge',

    async read(key) {
      const response = await cache.match(addressOf(key));
      const { body, headers } = response ?? {};
      if (!response || !body || !headers) return undefined;
      const asOf = Number(headers.get('X-Modferry-As-Of'));
      if (clock.now() >= Number(headers.get('X-Modferry-Until'))) {
        await body.cancel();
        return undefined;
      }
      const etag = headers.get('X-Modferry-Etag');
      if (etag === null) {
        return { kind: 'missing', asOf, missing: v.parse(Missing, await response.json()) };
      }
      const size = Number(headers.get('X-Modferry-Size'));
      const checked = parseChecked(headers.get('X-Modferry-Checked') ?? undefined);
      return { kind: 'file', asOf, file: { body, size, etag, checked } };
    },

    write: (key, file, life) =>
      put(key, { body: bodyInit(file.bytes), headers: factsOf(file), life }),

    writeMissing: (key, missing, life) =>
      put(key, { body: JSON.stringify(missing), headers: {}, life }),

    async remove(key) {
      await cache.delete(addressOf(key));
    },
  };
}

interface NewEntry {
  readonly body: BodyInit;
  readonly headers: Readonly<Record<string, string>>;
  readonly life: CopyLife;
}

const Missing = v.object({
  status: v.picklist([404, 410]),
  text: v.string(),
  origin: v.string(),
});

function factsOf({ bytes, checked, etag }: FileToStore): Record<string, string> {
  return {
    'X-Modferry-Etag': etag,
    'X-Modferry-Size': String(bytes.length),
    ...(checked !== undefined && { 'X-Modferry-Checked': checked }),
  };
}
