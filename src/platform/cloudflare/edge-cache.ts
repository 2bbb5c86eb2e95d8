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
 * Entries live under a host of their own: the name that a client used decides nothing
 * (docs/decisions/006).
 */
export const ENTRY_HOST = 'https://modferry.invalid/';

/** What the platform keeps at most. */
const YEAR_SECONDS = 31_536_000;

/**
 * The cache of the data centre that runs this isolate; Cloudflare's own addition to the Cache API.
 */
export function dataCentreCache(storage: object): DataCentreCache {
  const cache: unknown = Reflect.get(storage, 'default');
  if (!isCache(cache)) throw new Error('The runtime has no cache of the data centre');
  return cache;
}

function isCache(value: unknown): value is DataCentreCache {
  return typeof value === 'object' && value !== null && 'match' in value && 'put' in value;
}

/**
 * The Cache API of this data centre. It may forget anything at any time, and is never needed for
 * correctness.
 *
 * The moment at which an entry ends stands in a header of our own and is compared with our own
 * clock: `max-age` is a hint to the platform alone, and tests need not wait.
 */
export function edgeCache(cache: DataCentreCache, clock: Clock): NearStore {
  async function match(key: StoreKey, kind: 'file' | 'missing'): Promise<Response | undefined> {
    const response = await cache.match(entry(key, kind));
    if (!response) return undefined;
    if (clock.now() < Number(response.headers.get('X-Modferry-Until'))) return response;
    await response.body?.cancel();
    return undefined;
  }

  async function put(entryKey: string, { body, headers, seconds }: NewEntry) {
    const response = new Response(body, {
      headers: {
        ...headers,
        'Cache-Control': `public, max-age=${seconds}`,
        'X-Modferry-Until': String(clock.now() + seconds * 1000),
      },
    });
    await cache.put(entryKey, response);
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
