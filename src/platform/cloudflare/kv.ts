import type { KVNamespace } from '@cloudflare/workers-types';
import { parseChecked, type WorldStore } from '../../store/contract.ts';

type Namespace = Pick<KVNamespace, 'getWithMetadata' | 'put' | 'delete'>;

/**
 * KV accepts keys of up to 512 bytes; a file with a longer key is not kept here. Keys in this tier
 * are ASCII, so their length is in bytes.
 */
const MAX_KEY_BYTES = 512;

/**
 * Seconds for which a data centre may serve its own copy. Files never change. But a miss lives
 * equally long, and hides a file that is written soon after it.
 */
const CACHE_TTL_SECONDS = 300;

interface Metadata {
  readonly etag: string;
  readonly checked?: string;
  /** Absent in what an older release wrote. */
  readonly asOf?: number;
}

/**
 * KV as the world tier of small immutable files. Reads are eventually consistent and misses are
 * cached, so it must not hold mutable files, and a miss does not prove that a file is absent.
 */
export function kvStore(namespace: Namespace): WorldStore {
  return {
    label: 'kv',

    async read(key) {
      if (key.length > MAX_KEY_BYTES) return undefined;
      const found = await namespace.getWithMetadata<Metadata>(key, {
        type: 'arrayBuffer',
        cacheTtl: CACHE_TTL_SECONDS,
      });
      if (!found.value || !found.metadata) return undefined;
      const body = new Uint8Array(found.value);
      const { asOf = 0, checked, etag } = found.metadata;
      const file = { body, size: body.length, etag, checked: parseChecked(checked) };
      return { kind: 'file', asOf, file };
    },
    async write(key, file, { asOf, seconds }) {
      if (key.length > MAX_KEY_BYTES) return;
      const { bytes, etag, checked } = file;
      const metadata = { etag, checked, asOf };
      await namespace.put(key, bytes, { expirationTtl: seconds, metadata });
    },
    async remove(key) {
      if (key.length <= MAX_KEY_BYTES) await namespace.delete(key);
    },
  };
}
