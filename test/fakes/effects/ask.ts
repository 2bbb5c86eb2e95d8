import { HealthRegistry } from '../../../src/origins/health/registry.ts';
import type { AskEffects } from '../../../src/origins/race/ask.ts';
import type { OpenDriver } from '../../../src/origins/request/driver.ts';
import { httpDriver, type HttpEffects } from '../../../src/origins/request/http-driver.ts';
import { fakeClock } from './clock.ts';
import { fakeFetch } from './fetch.ts';

export interface AskOptions extends Partial<AskEffects> {
  /** What the drivers send their requests with, unless `openDriver` is given. Default: no server. */
  readonly fetch?: HttpEffects['fetch'] | undefined;
}

/** The effects of a question to origins, with 25 s left and no origin asked before. */
export function askEffects({ fetch = fakeFetch({}), ...rest }: AskOptions = {}): AskEffects {
  const clock = rest.clock ?? fakeClock();
  return {
    clock,
    openDriver: openHttpDriver({ fetch, clock }),
    random: () => 0,
    remainingMs: 25_000,
    health: new HealthRegistry({ clock, random: () => 0.5 }),
    region: {},
    background: (_label, work) => void work.catch(() => undefined),
    emit: () => undefined,
    ...rest,
  };
}

/** Opens every origin over HTTP. */
export function openHttpDriver(effects: HttpEffects): OpenDriver {
  return (origin) => httpDriver(origin, effects);
}
