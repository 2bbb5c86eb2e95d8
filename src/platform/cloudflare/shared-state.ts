import type { KVNamespace } from '@cloudflare/workers-types';
import type { Clock } from '../../effects/clock.ts';
import { sharedKey } from '../../store/key.ts';
import type { SharedState, SharedStates } from '../../effects/shared-state.ts';
import { dataCentreCache, entryAddress } from './edge-cache.ts';
import type { Bindings } from './tiers.ts';

type Now = Pick<Clock, 'now'>;

/** The shortest lifetime that KV accepts, in seconds. */
const MIN_TTL_SECONDS = 60;

/**
 * The shared texts of this deployment: in this data centre, and in KV where it is bound. `host` is
 * a host name of this deployment.
 */
export function sharedStatesOf({ META }: Bindings, clock: Now, host: string): SharedStates {
  const dataCentre = edgeSharedState(dataCentreCache(caches), { clock, host });
  return META ? { dataCentre, world: kvSharedState(META, clock) } : { dataCentre };
}

/**
 * Shared texts in the cache of this data centre. As for files, a header of our own holds the time
 * at which a text expires, and is compared with `clock`.
 */
export function edgeSharedState(
  cache: Pick<Cache, 'match' | 'put'>,
  { clock, host }: { readonly clock: Now; readonly host: string },
): SharedState {
  const addressOf = (name: string) => entryAddress(host, sharedKey(name));
  return {
    async read(name) {
      const response = await cache.match(addressOf(name));
      if (!response) return undefined;
      if (clock.now() < Number(response.headers.get('X-Modferry-Until'))) return response.text();
      await response.body?.cancel();
      return undefined;
    },
    async write(name, text, seconds) {
      const headers = {
        'Cache-Control': `public, max-age=${seconds}`,
        'X-Modferry-Until': String(clock.now() + seconds * 1000),
      };
      await cache.put(addressOf(name), new Response(text, { headers }));
    },
  };
}

/**
 * Shared texts in KV. A data centre may serve its own copy of a text, or a miss, for up to a
 * minute. KV accepts one write per second for a key and, on the free plan, 1,000 writes per day in
 * all: write rarely.
 */
export function kvSharedState(
  namespace: Pick<KVNamespace, 'getWithMetadata' | 'put'>,
  clock: Now,
): SharedState {
  return {
    async read(name) {
      const { value, metadata } = await namespace.getWithMetadata<{ until?: number }>(
        sharedKey(name),
        'text',
      );
      return value !== null && clock.now() < Number(metadata?.until) ? value : undefined;
    },
    async write(name, text, seconds) {
      await namespace.put(sharedKey(name), text, {
        expirationTtl: Math.max(seconds, MIN_TTL_SECONDS),
        metadata: { until: clock.now() + seconds * 1000 },
      });
    },
  };
}
