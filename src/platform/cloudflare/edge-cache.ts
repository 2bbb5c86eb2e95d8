import type { CacheStorage } from '@cloudflare/workers-types';
import type { Clock } from '../../effects/clock.ts';
import type { Checked, EdgeStore, Missing, StoredFile } from '../../store/contract.ts';
import type { StoreKey } from '../../store/key.ts';

type DataCentreCache = Pick<Cache, 'match' | 'put' | 'delete'>;

/**
 * Entries live under a host of their own: the name that a client used decides nothing
 * (docs/decisions/006).
 */
export const ENTRY_HOST = 'https://modferry.invalid/';

const YEAR = 31_536_000;

/**
 * The cache of the data centre that runs this isolate; Cloudflare's own addition to the Cache API.
 */
export function dataCentreCache(storage: unknown): DataCentreCache {
  return (storage as CacheStorage).default as unknown as DataCentreCache;
}

/**
 * The Cache API of this data centre. It may forget anything at any time, and is never needed for
 * correctness.
 *
 * The moment an entry ends is kept beside it in our own header and compared with our own clock: a
 * data centre's idea of `max-age` is not asked, and tests need not wait.
 */
export function edgeCache(cache: DataCentreCache, clock: Clock): EdgeStore {
  async function match(key: StoreKey, kind: 'file' | 'missing'): Promise<Response | undefined> {
    const response = await cache.match(entry(key, kind));
    if (!response) return undefined;
    if (clock.now() < Number(response.headers.get('X-Modferry-Until'))) return response;
    await response.body?.cancel();
    return undefined;
  }

  async function put(
    key: StoreKey,
    kind: 'file' | 'missing',
    response: { body: BodyInit; headers: Record<string, string> },
    seconds: number,
  ) {
    const headers = {
      ...response.headers,
      'Cache-Control': `public, max-age=${seconds}`,
      'X-Modferry-Until': String(clock.now() + seconds * 1000),
    };
    await cache.put(entry(key, kind), new Response(response.body, { headers }));
  }

  return {
    async read(key) {
      const response = await match(key, 'file');
      const size = Number(response?.headers.get('X-Modferry-Size'));
      const etag = response?.headers.get('X-Modferry-Etag');
      if (!response?.body || !etag) return undefined;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by `facts` below
      const checked = response.headers.get('X-Modferry-Checked') as Checked | null;
      return { body: response.body, size, etag, ...(checked ? { checked } : {}) };
    },

    async write(key, file, seconds = YEAR) {
      await put(
        key,
        'file',
        { body: file.bytes as BodyInit, headers: facts(file, file.bytes.length) },
        seconds,
      );
    },

    async writeStream(key, file, seconds = YEAR) {
      await put(
        key,
        'file',
        { body: file.body as BodyInit, headers: facts(file, file.size) },
        seconds,
      );
    },

    async remove(key) {
      await cache.delete(entry(key, 'file'));
    },

    async readMissing(key) {
      const response = await match(key, 'missing');
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written by writeMissing below
      return response ? ((await response.json()) as Missing) : undefined;
    },

    async writeMissing(key, missing, seconds) {
      await put(key, 'missing', { body: JSON.stringify(missing), headers: {} }, seconds);
    },
  };
}

function entry(key: StoreKey, kind: 'file' | 'missing'): string {
  return `${ENTRY_HOST}${kind}/${encodeURIComponent(key)}`;
}

function facts(
  { etag, checked }: Pick<StoredFile, 'etag' | 'checked'>,
  size: number,
): Record<string, string> {
  return {
    'X-Modferry-Etag': etag,
    'X-Modferry-Size': String(size),
    ...(checked ? { 'X-Modferry-Checked': checked } : {}),
  };
}
