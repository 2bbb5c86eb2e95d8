import type { KVNamespace } from '@cloudflare/workers-types';
import type { Clock } from '../../effects/clock.ts';
import { sharedKey } from '../../store/key.ts';
import type { SharedState, SharedStates } from '../../effects/shared-state.ts';
import type { DataCentreEntries } from './data-centre.ts';
import type { Bindings } from './tiers.ts';

type Now = Pick<Clock, 'now'>;

/** The shortest lifetime that KV accepts, in seconds. */
const MIN_TTL_SECONDS = 60;

/** The shared texts of this deployment: in this data centre, and in KV where it is bound. */
export function sharedStatesOf(
  { META }: Bindings,
  entries: DataCentreEntries,
  clock: Now,
): SharedStates {
  const dataCentre = edgeSharedState(entries);
  return META ? { dataCentre, world: kvSharedState(META, clock) } : { dataCentre };
}

/** Shared texts in the cache of this data centre. */
export function edgeSharedState(entries: DataCentreEntries): SharedState {
  return {
    read: async (name) => (await entries.match(sharedKey(name)))?.text(),
    write: (name, text, seconds) => entries.put(sharedKey(name), text, { seconds }),
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
