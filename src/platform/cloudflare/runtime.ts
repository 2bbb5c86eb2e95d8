import { systemClock as clock } from '../../effects/clock.ts';
import { openPipe } from './pipe.ts';
import { sharedStatesOf } from './shared-state.ts';
import { type Bindings, tiersOf } from './tiers.ts';

/** The runtime in workerd, without the sink of events. */
export function cloudflareRuntime(bindings: Bindings) {
  return {
    tiers: tiersOf(bindings, clock),
    sharedStates: sharedStatesOf(bindings, clock),
    fetch: (url: string, init: RequestInit) => fetch(url, init),
    openPipe,
    clock,
    random: Math.random,
  };
}
