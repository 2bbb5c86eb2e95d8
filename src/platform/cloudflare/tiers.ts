import type { KVNamespace, R2Bucket } from '@cloudflare/workers-types';
import type { Clock } from '../../effects/clock.ts';
import type { Tiers } from '../../store/tiers.ts';
import { dataCentreCache, edgeCache } from './edge-cache.ts';
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

/** The tiers that this deployment has. `host` is a host name of this deployment. */
export function tiersOf({ FILES, META }: Bindings, clock: Clock, host: string): Tiers {
  return {
    near: edgeCache(dataCentreCache(caches), { clock, host }),
    world: META && kvStore(META),
    durable: FILES && r2Store(FILES),
  };
}
