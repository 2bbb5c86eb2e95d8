import type { Clock } from '../../../src/effects/clock.ts';
import { HealthSharing } from '../../../src/origins/health/share.ts';
import type { Pool } from '../../../src/origins/health/pool.ts';
import type { SharedState } from '../../../src/effects/shared-state.ts';
import { fakeClock, type FakeClock, settled } from './clock.ts';
import { originOf } from './fetch.ts';
import { fakePool } from './health.ts';
import { memoryShared, type MemoryShared } from '../store/shared-state.ts';

export const good = originOf('good.example');
export const bad = originOf('bad.example');

/** Where isolates tell each other what they know. */
export interface World {
  readonly clock: FakeClock;
  readonly dataCentre: MemoryShared;
  readonly world: MemoryShared;
}

export function worldOf(): World {
  const clock = fakeClock();
  return { clock, dataCentre: memoryShared(clock), world: memoryShared(clock) };
}

/** What an isolate knows and tells. */
export interface FakeIsolate {
  readonly pool: Pool;
  readonly sharing: HealthSharing;
  /** What went wrong beside its requests. */
  readonly reports: readonly string[];
  /** A request: how many jobs began beside it. */
  request(): Promise<number>;
}

/** An isolate in that world; without KV where `world` is left out. */
export function isolateIn({
  clock,
  ...states
}: {
  readonly clock: Clock;
  readonly dataCentre: SharedState;
  readonly world?: SharedState;
}): FakeIsolate {
  const pool = fakePool(clock);
  const reports: string[] = [];
  const report = (label: string, error: unknown) => reports.push(`${label}: ${String(error)}`);
  const sharing = new HealthSharing({ pool, urls: [good.url, bad.url], states, clock, report });
  return {
    pool,
    sharing,
    reports,
    async request() {
      let jobs = 0;
      sharing.touch((label, work) => {
        jobs += 1;
        work.catch((error: unknown) => report(`${label} rejected`, error));
      });
      await settled();
      return jobs;
    },
  };
}

/** Whether it would not ask `bad`. */
export function isOut({ pool }: FakeIsolate): boolean {
  return pool.isOut(bad, false);
}
