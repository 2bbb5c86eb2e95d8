import type { Clock } from '../../../src/effects/clock.ts';
import { Connections } from '../../../src/effects/connections.ts';
import type { SharedState } from '../../../src/effects/shared-state.ts';
import type { HealthRegistry } from '../../../src/origins/health/registry.ts';
import { HealthSharing } from '../../../src/origins/health/share.ts';
import { memoryShared, type MemoryShared } from '../store/shared-state.ts';
import { fakeClock, type FakeClock, settled } from './clock.ts';
import { originOf } from './fetch.ts';
import { fakeHealth } from './health.ts';

export const good = originOf('good.example');
export const bad = originOf('bad.example');

/** The clock and the shared states of several isolates. */
export interface World {
  readonly clock: FakeClock;
  readonly dataCentre: MemoryShared;
  readonly world: MemoryShared;
}

export function worldOf(): World {
  const clock = fakeClock();
  return { clock, dataCentre: memoryShared(clock), world: memoryShared(clock) };
}

/** One isolate, as far as it shares health. */
export interface FakeIsolate {
  readonly health: HealthRegistry;
  readonly sharing: HealthSharing;
  /** The failures of its background work, as `label: message`. */
  readonly troubles: readonly string[];
  /** Simulates a request. Resolves with the number of background jobs that it started. */
  request(connections?: Connections): Promise<number>;
}

/** An isolate with these shared states; `world` is absent where there is no KV. */
export function isolateIn({
  clock,
  ...states
}: {
  readonly clock: Clock;
  readonly dataCentre: SharedState;
  readonly world?: SharedState;
}): FakeIsolate {
  const health = fakeHealth(clock);
  const troubles: string[] = [];
  const report = (label: string, error: unknown) => troubles.push(`${label}: ${String(error)}`);
  const sharing = new HealthSharing({
    health,
    urls: [good.url, bad.url],
    states,
    clock,
    emit: ({ error, label }) => report(label, error),
  });
  return {
    health,
    sharing,
    troubles,
    async request(connections = new Connections()) {
      let jobs = 0;
      sharing.syncIfDue((label, work) => {
        jobs += 1;
        work.catch((error: unknown) => report(`${label} rejected`, error));
      }, connections);
      await settled();
      return jobs;
    },
  };
}

/** Whether the breaker of `bad` is not closed. */
export function isTripped({ health }: FakeIsolate): boolean {
  return health.isTripped(bad);
}
