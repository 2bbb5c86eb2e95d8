import { systemClock as clock } from '../../effects/clock.ts';
import { openPipe } from './pipe.ts';
import { sharedStatesOf } from './shared-state.ts';
import { type Bindings, tiersOf } from './tiers.ts';

/**
 * The runtime in workerd, without the sink of events. The entries of the edge cache lie under
 * `host` (docs/decisions/006).
 */
export function cloudflareRuntime(bindings: Bindings, host: string) {
  return {
    tiers: tiersOf(bindings, clock, host),
    sharedStates: sharedStatesOf(bindings, clock, host),
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    openPipe,
    clock,
    random: Math.random,
  };
}
