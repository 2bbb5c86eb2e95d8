import type { AskEffects } from '../../../src/origins/race/ask.ts';
import { Pool } from '../../../src/origins/health/pool.ts';
import { fakeClock } from './clock.ts';
import { fakeFetch } from './fetch.ts';

/** The effects of a question to origins: nothing is known of them, and 25 s are left. */
export function askEffects(rest: Partial<AskEffects> = {}): AskEffects {
  const clock = rest.clock ?? fakeClock();
  return {
    clock,
    fetch: fakeFetch({}),
    random: () => 0,
    ms: 25_000,
    pool: new Pool({ clock, random: () => 0.5 }),
    region: {},
    background: (_label, work) => void work.catch(() => undefined),
    ...rest,
  };
}
