import type { Config } from '../config/config.ts';
import { createTrace } from '../effects/trace.ts';
import type { Incoming, RequestScope } from '../http/services.ts';
import type { SharedByRequests } from '../mirror/context.ts';
import { openBudgets } from '../mirror/memory-budget.ts';
import { SingleFlight } from '../mirror/single-flight.ts';
import { WrongFiles } from '../mirror/wrong-files.ts';
import type { HealthRegistry } from '../origins/health/registry.ts';
import type { HealthSharing } from '../origins/health/share.ts';
import { askOrigins } from '../origins/race/ask.ts';
import { LayeredStore } from '../store/layered.ts';
import { KnownMarks } from '../store/marks.ts';
import { NegativeMemory } from '../store/negative-memory.ts';
import { type RealmName, realmTiers } from '../store/realm.ts';
import { requestTiers } from '../store/request-tiers.ts';
import { TierHealth } from '../store/tier-health.ts';
import type { CarrierSupport } from '../sumdb/carrier-support.ts';
import type { LogContext } from '../sumdb/log-context.ts';
import type { Network, OpenNetwork } from './network.ts';
import type { Runtime } from './runtime.ts';
import { withoutRepetition } from './sinks.ts';

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
  const known = new KnownMarks();
  const tierHealth = new TierHealth();
  const budgets = openBudgets(clock);
  const hold = (bytes: number) => budgets.held.take(bytes);
  const shareAnew = (): SharedByRequests => ({
    flights: new SingleFlight(clock),
    budgets,
    wrongFiles: new WrongFiles(clock),
  });
  const shared = shareAnew();
  const ofRealm = () => ({ shared: shareAnew(), missing: new NegativeMemory(clock) });
  const realms: Readonly<Record<RealmName, ReturnType<typeof ofRealm>>> = {
    private: ofRealm(),
    hosted: ofRealm(),
  };
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
    const stores = { clock, connections, health: tierHealth, stallMs: config.stallLimitMs };
    const tiers = requestTiers(runtime.tiers, stores);
    // An answer from the store costs no look at what isolates share of the origins.
    const syncHealth = () => sharing.syncIfDue(background, connections);
    const asking = { openDriver, clock, connections, random, health };
    const askEffects = { ...asking, signal, background, region, emit };
    const storeEffects = { background, trace, clock, emit, known, hold };
    const context: LogContext = {
      store: new LayeredStore(tiers, storeEffects),
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
      shared,
      realm(name) {
        const { missing, shared } = realms[name];
        const inRealm = realmTiers(tiers, name, missing);
        return { shared, store: new LayeredStore(inRealm, { ...storeEffects, marksIn: tiers }) };
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
