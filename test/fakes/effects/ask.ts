import { Connections } from '../../../src/effects/connections.ts';
import { HealthRegistry } from '../../../src/origins/health/registry.ts';
import type { AskEffects } from '../../../src/origins/race/ask.ts';
import type { OpenDriver } from '../../../src/origins/request/driver.ts';
import { httpDriver, type HttpEffects } from '../../../src/origins/request/http-driver.ts';
import { fakeClock } from './clock.ts';
import { fakeFetch } from './fetch.ts';

export interface AskOptions extends Partial<AskEffects> {
  /** The `fetch` of the drivers, unless `openDriver` is given. Default: every request fails. */
  readonly fetch?: HttpEffects['fetch'] | undefined;
}

/** The effects of a question to origins, with 25 s left and an empty health registry. */
export function askEffects({ fetch = fakeFetch({}), ...rest }: AskOptions = {}): AskEffects {
  const clock = rest.clock ?? fakeClock();
  return {
    clock,
    openDriver: openHttpDriver({ fetch, clock }),
    connections: new Connections(),
    random: () => 0,
    remainingMs: 25_000,
    health: new HealthRegistry({ clock, random: () => 0.5 }),
    region: {},
    background: (_label, work) => void work.catch(() => undefined),
    emit: () => undefined,
    ...rest,
  };
}

/** Opens an HTTP driver for every origin. */
export function openHttpDriver(effects: HttpEffects): OpenDriver {
  return (origin) => httpDriver(origin, effects);
}
