import type { KVNamespace } from '@cloudflare/workers-types';
import type { Clock } from '../../effects/clock.ts';
import { sharedKey } from '../../store/key.ts';
import type { SharedState, SharedStates } from '../../effects/shared-state.ts';
import { dataCentreCache, ENTRY_HOST } from './edge-cache.ts';
import type { Bindings } from './tiers.ts';

type Now = Pick<Clock, 'now'>;

/** KV forgets nothing sooner than that, in seconds. */
const SHORTEST_LIFE = 60;

/** Where isolates of this deployment tell each other what they know. */
export function sharedStatesOf({ META }: Bindings, clock: Now): SharedStates {
  const dataCentre = edgeSharedState(dataCentreCache(caches), clock);
  return META ? { dataCentre, world: kvSharedState(META, clock) } : { dataCentre };
}

/**
 * Texts in the cache of this data centre, beside the files. As there, the moment a text ends is
 * kept in a header of our own and compared with our own clock.
 */
export function edgeSharedState(cache: Pick<Cache, 'match' | 'put'>, clock: Now): SharedState {
  return {
    async read(name) {
      const response = await cache.match(entry(name));
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
      await cache.put(entry(name), new Response(text, { headers }));
    },
  };
}

function entry(name: string): string {
  return `${ENTRY_HOST}shared/${encodeURIComponent(sharedKey(name))}`;
}

/**
 * Texts in KV, beside the small files. A data centre believes its own copy, or that there is none,
 * for up to a minute. KV takes one write a second for a key, and on the free plan 1,000 a day in
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
        expirationTtl: Math.max(seconds, SHORTEST_LIFE),
        metadata: { until: clock.now() + seconds * 1000 },
      });
    },
  };
}
