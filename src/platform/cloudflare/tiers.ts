import type { KVNamespace, R2Bucket } from '@cloudflare/workers-types';
import type { Tiers } from '../../store/tiers.ts';
import type { DataCentreEntries } from './data-centre.ts';
import { edgeCache } from './edge-cache.ts';
import { kvStore } from './kv.ts';
import { r2Store } from './r2.ts';

/**
 * The bindings of wrangler.toml. Each may be absent: without R2 and KV the proxy still serves
 * modules.
 */
export interface Bindings {
  readonly FILES?: R2Bucket;
  readonly META?: KVNamespace;
}

/** The tiers that this deployment has. */
export function tiersOf({ FILES, META }: Bindings, entries: DataCentreEntries): Tiers {
  return {
    near: edgeCache(entries),
    world: META && kvStore(META),
    durable: FILES && r2Store(FILES),
  };
}
