import type { KVNamespace } from '@cloudflare/workers-types';
import type { CacheStore, Checked } from '../../store/contract.ts';

type Namespace = Pick<KVNamespace, 'getWithMetadata' | 'put' | 'delete'>;

/** KV takes keys of up to 512 bytes: a longer one is simply not kept here. */
const MAX_KEY_BYTES = 512;

/**
 * How long, in seconds, a data centre may believe its own copy. Values never change, but a miss is
 * believed as long, and would hide a file that was written just after it.
 */
const CACHE_TTL = 300;

/**
 * KV as the world-wide tier of small immutable files. Reads are eventually consistent and misses
 * are cached, so nothing mutable and no "is it there?" may ever be asked of it.
 */
export function kvStore(namespace: Namespace): CacheStore {
  return {
    async read(key) {
      if (key.length > MAX_KEY_BYTES) return undefined;
      const found = await namespace.getWithMetadata<{ etag: string; checked?: Checked }>(key, {
        type: 'arrayBuffer',
        cacheTtl: CACHE_TTL,
      });
      if (!found.value || !found.metadata) return undefined;
      const body = new Uint8Array(found.value);
      return { body, size: body.length, ...found.metadata };
    },
    async write(key, file) {
      if (key.length > MAX_KEY_BYTES) return;
      const { bytes, etag, checked } = file;
      await namespace.put(key, bytes, { metadata: { etag, ...(checked ? { checked } : {}) } });
    },
    async remove(key) {
      if (key.length <= MAX_KEY_BYTES) await namespace.delete(key);
    },
  };
}
