import type { KVNamespace } from '@cloudflare/workers-types';
import { type CacheStore, parseChecked } from '../../store/contract.ts';

type Namespace = Pick<KVNamespace, 'getWithMetadata' | 'put' | 'delete'>;

/** KV takes keys of up to 512 bytes: a longer one is simply not kept here. */
const MAX_KEY_BYTES = 512;

/**
 * Seconds for which a data centre may serve its own copy. Values never change, but a miss lives as
 * long, and hides a file that is written just after it.
 */
const CACHE_TTL_SECONDS = 300;

/**
 * KV as the world-wide tier of small immutable files. Reads are eventually consistent and misses
 * are cached, so nothing mutable and no "is it there?" may ever be asked of it.
 */
export function kvStore(namespace: Namespace): CacheStore {
  return {
    label: 'kv',

    async read(key) {
      if (key.length > MAX_KEY_BYTES) return undefined;
      const found = await namespace.getWithMetadata<{ etag: string; checked?: string }>(key, {
        type: 'arrayBuffer',
        cacheTtl: CACHE_TTL_SECONDS,
      });
      if (!found.value || !found.metadata) return undefined;
      const body = new Uint8Array(found.value);
      const { etag, checked } = found.metadata;
      return { body, size: body.length, etag, checked: parseChecked(checked) };
    },
    async write(key, file) {
      if (key.length > MAX_KEY_BYTES) return;
      const { bytes, etag, checked } = file;
      await namespace.put(key, bytes, { metadata: { etag, checked } });
    },
    async remove(key) {
      if (key.length <= MAX_KEY_BYTES) await namespace.delete(key);
    },
  };
}
