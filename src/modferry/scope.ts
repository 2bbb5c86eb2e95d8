import type { Config } from '../config/config.ts';
import { createTrace } from '../effects/trace.ts';
import type { Incoming, RequestScope } from '../http/services.ts';
import type { HealthRegistry } from '../origins/health/registry.ts';
import type { HealthSharing } from '../origins/health/share.ts';
import { askOrigins } from '../origins/race/ask.ts';
import type { CarrierSupport } from '../sumdb/carrier-support.ts';
import type { LogContext } from '../sumdb/log-context.ts';
import type { Network, OpenNetwork } from './network.ts';
import type { Runtime } from './runtime.ts';
import { withoutRepetition } from './sinks.ts';
import { storeOpener } from './stores.ts';

/** The runtime, and the state that all requests share. */
interface Shared extends Runtime {
  readonly health: HealthRegistry;
  readonly openNetwork: OpenNetwork;
  readonly carrierSupport: CarrierSupport;
  readonly sharing: HealthSharing;
}

/** Opens the effects of a request, over a network of its own by default. */
type OpenScope = (incoming: Incoming, requestId: string, network?: Network) => RequestScope;

/** Returns the function that opens the effects of one request. */
export function requestOpener(config: Config, runtime: Shared): OpenScope {
  const { carrierSupport, clock, health, openNetwork, openPipe, random } = runtime;
  const { sharing, sink } = runtime;
  const openStores = storeOpener(config, runtime);
  return function open(incoming, requestId, network) {
    const { host, region, signal } = incoming;
    const { connections, openDriver } = network ?? openNetwork(host, requestId);
    const startedAt = clock.steady();
    const timeLeftMs = () => startedAt + config.totalLimitMs - clock.steady();
    const trace = createTrace(clock);
    const emit = withoutRepetition((event) => sink(event, requestId));
    const background = incoming.background((label, error) =>
      emit({ event: 'trouble', label, error }),
    );
    // An answer from the store costs no look at what isolates share of the origins.
    const syncHealth = () => sharing.syncIfDue(background, connections);
    const asking = { openDriver, clock, connections, random, health };
    const askEffects = { ...asking, signal, background, region, emit };
    const context: LogContext = {
      ...openStores({ background, connections, trace, emit }),
      origins: {
        async ask(origins, question) {
          syncHealth();
          const answering = askOrigins(origins.filter(carrierSupport.mayAsk), question, {
            ...askEffects,
            remainingMs: timeLeftMs(),
          });
          const answer = await trace.measure('origin', answering);
          syncHealth();
          return answer;
        },
        recordFailure(failure) {
          const origin = config.origins.find(({ name }) => name === failure.origin);
          if (origin) health.recordFailure(origin, failure, { bytes: 0, lane: 'bulk' });
          syncHealth();
        },
      },
      mayFetch: true,
      staleMaxMs: config.staleMaxMs,
      select: undefined,
      clock,
      background,
      emit,
      signal,
      timeLeftMs,
      hasSpareCalls: () => connections.hasSpareCalls,
      openPipe,
    };
    return { requestId, startedAt, region, trace, context, connections, emit };
  };
}
