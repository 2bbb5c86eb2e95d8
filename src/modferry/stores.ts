import type { Config } from '../config/config.ts';
import type { Connections } from '../effects/connections.ts';
import type { SharedByRequests } from '../mirror/context.ts';
import { openBudgets } from '../mirror/memory-budget.ts';
import { SingleFlight } from '../mirror/single-flight.ts';
import { WrongFiles } from '../mirror/wrong-files.ts';
import { type StoreEffects, LayeredStore } from '../store/layered.ts';
import { KnownMarks } from '../store/marks.ts';
import { NegativeMemory } from '../store/negative-memory.ts';
import { type RealmName, realmTiers } from '../store/realm.ts';
import { requestTiers } from '../store/request-tiers.ts';
import { TierHealth } from '../store/tier-health.ts';
import type { LogContext } from '../sumdb/log-context.ts';
import type { Runtime } from './runtime.ts';

/** The effects of a request that its stores need. */
interface OpenEffects extends Pick<StoreEffects, 'background' | 'emit' | 'trace'> {
  readonly connections: Connections;
}

type OpenStores = (effects: OpenEffects) => Pick<LogContext, 'store' | 'shared' | 'realm'>;

/** Returns the function that opens the stores of one request, the public one and those of realms. */
export function storeOpener(
  { stallLimitMs }: Pick<Config, 'stallLimitMs'>,
  runtime: Pick<Runtime, 'clock' | 'tiers'>,
): OpenStores {
  const { clock } = runtime;
  const known = new KnownMarks();
  const health = new TierHealth();
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
  return function openStores({ connections, ...effects }) {
    const tiers = requestTiers(runtime.tiers, {
      clock,
      connections,
      health,
      stallMs: stallLimitMs,
    });
    const storeEffects = { ...effects, clock, known, hold };
    const store = new LayeredStore(tiers, storeEffects);
    return {
      store,
      shared,
      realm(name) {
        const { missing, shared } = realms[name];
        const inRealm = realmTiers(tiers, name, missing);
        const { marks } = store;
        return { shared, store: new LayeredStore(inRealm, { ...storeEffects, marks }) };
      },
    };
  };
}
