import { bodyInit } from '../../bytes/streams.ts';
import type { Clock } from '../../effects/clock.ts';
import * as v from 'valibot';
import {
  type Checked,
  type FileFacts,
  type NearStore,
  parseChecked,
} from '../../store/contract.ts';
import type { StoreKey } from '../../store/key.ts';

type DataCentreCache = Pick<Cache, 'match' | 'put' | 'delete'>;

/**
 * Entries have a host of their own, so that they do not depend on the host name of the request
 * (docs/decisions/006).
 */
export const ENTRY_HOST = 'https://modferry.invalid/';

/** The longest lifetime that the platform accepts. */
const YEAR_SECONDS = 31_536_000;

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
 * The Cache API of this data centre as the near tier. It may evict anything at any time, and is
 * never needed for correctness.
 *
 * A header of our own holds the time at which an entry expires, and is compared with `clock`, so
 * that tests need not wait. `max-age` is only a hint to the platform.
 */
export function edgeCache(cache: DataCentreCache, clock: Clock): NearStore {
  async function match(key: StoreKey, kind: 'file' | 'missing'): Promise<Response | undefined> {
    const response = await cache.match(entry(key, kind));
    if (!response) return undefined;
    if (clock.now() < Number(response.headers.get('X-Modferry-Until'))) return response;
    await response.body?.cancel();
    return undefined;
  }

  async function put(url: string, { body, headers, seconds }: NewEntry) {
    const response = new Response(body, {
      headers: {
        ...headers,
        'Cache-Control': `public, max-age=${seconds}`,
        'X-Modferry-Until': String(clock.now() + seconds * 1000),
      },
    });
    await cache.put(url, response);
  }

  return {
    label: 'edge',

    async read(key) {
      const response = await match(key, 'file');
      const size = Number(response?.headers.get('X-Modferry-Size'));
      const etag = response?.headers.get('X-Modferry-Etag');
      if (!response?.body || !etag) return undefined;
      return { body: response.body, size, etag, checked: checkedOf(response.headers) };
    },

    async write(key, file, seconds = YEAR_SECONDS) {
      const headers = facts(file, file.bytes.length);
      await put(entry(key, 'file'), { body: bodyInit(file.bytes), headers, seconds });
    },

    async writeStream(key, file, seconds = YEAR_SECONDS) {
      const headers = facts(file, file.size);
      await put(entry(key, 'file'), { body: bodyInit(file.body), headers, seconds });
    },

    async remove(key) {
      await cache.delete(entry(key, 'file'));
    },

    async readMissing(key) {
      const response = await match(key, 'missing');
      return response && v.parse(Missing, await response.json());
    },

    async writeMissing(key, missing, seconds) {
      const body = JSON.stringify(missing);
      await put(entry(key, 'missing'), { body, headers: {}, seconds });
    },
  };
}

interface NewEntry {
  readonly body: BodyInit;
  readonly headers: Readonly<Record<string, string>>;
  readonly seconds: number;
}

function entry(key: StoreKey, kind: 'file' | 'missing'): string {
  return `${ENTRY_HOST}${kind}/${encodeURIComponent(key)}`;
}

const Missing = v.object({
  status: v.picklist([404, 410]),
  text: v.string(),
  origin: v.string(),
});

function facts({ etag, checked }: Omit<FileFacts, 'size'>, size: number): Record<string, string> {
  return {
    'X-Modferry-Etag': etag,
    'X-Modferry-Size': String(size),
    ...(checked !== undefined && { 'X-Modferry-Checked': checked }),
  };
}

function checkedOf(headers: Headers): Checked | undefined {
  return parseChecked(headers.get('X-Modferry-Checked') ?? undefined);
}
