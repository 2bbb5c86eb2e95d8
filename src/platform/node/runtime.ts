import { systemClock as clock } from '../../effects/clock.ts';
import { nodeFetch } from './fetch.ts';
import { openPipe } from './pipe.ts';
import { memorySharedState } from './shared-state.ts';

export interface NodeRuntimeOptions {
  /** Aborts every request, also one whose answer has begun. */
  readonly signal: AbortSignal;
}

/**
 * What modferry runs on in a Node process, but for the sink of its events: it stores nothing, and
 * what is known of origins ends with the process.
 */
export function nodeRuntime({ signal }: NodeRuntimeOptions) {
  return {
    tiers: {},
    sharedStates: { dataCentre: memorySharedState(clock) },
    fetch: (url: string, init: RequestInit) =>
      nodeFetch(url, {
        ...init,
        signal: init.signal ? AbortSignal.any([init.signal, signal]) : signal,
      }),
    openPipe,
    clock,
    random: Math.random,
  };
}
