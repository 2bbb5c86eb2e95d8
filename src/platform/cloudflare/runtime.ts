import { systemClock as clock } from '../../effects/clock.ts';
import { DataCentreEntries, dataCentreCache } from './data-centre.ts';
import { openPipe } from './pipe.ts';
import { sharedStatesOf } from './shared-state.ts';
import { type Bindings, tiersOf } from './tiers.ts';

/**
 * Keeps the platform's own cache out of requests to origins: it would keep a redirect to a signed
 * address beyond the address's life, and 404s of zips. `cache: 'no-store'` does the same, but also
 * sends `Cache-Control: no-cache`, with which an origin's own cache may be passed over.
 */
const UNCACHED = { cf: { cacheTtl: -1 } };

/**
 * The runtime in workerd, without the sink of events. The entries of the edge cache lie under
 * `host`, where one is known (docs/decisions/006).
 */
export function cloudflareRuntime(bindings: Bindings, host: () => string | undefined) {
  const entries = new DataCentreEntries(dataCentreCache(caches), { clock, host });
  return {
    tiers: tiersOf(bindings, entries),
    sharedStates: sharedStatesOf(bindings, entries, clock),
    fetch: (url: string, init: RequestInit) => fetch(url, { ...init, ...UNCACHED }),
    openPipe,
    clock,
    random: Math.random,
  };
}
