import type { Clock } from '../../../src/effects/clock.ts';
import type { FailureReason } from '../../../src/origins/failure.ts';
import type { Observation } from '../../../src/origins/health/observation.ts';
import { HealthRegistry } from '../../../src/origins/health/registry.ts';
import type { Origin } from '../../../src/origins/origin.ts';

/** A health registry without jitter: its random numbers are all 0.5. */
export function fakeHealth(clock: Pick<Clock, 'now' | 'steady'>): HealthRegistry {
  return new HealthRegistry({ clock, random: () => 0.5 });
}

/** Records `times` failures of an origin. Three open its breaker. */
export function failTimes(
  health: HealthRegistry,
  origin: Origin,
  times = 3,
  {
    reason = { kind: 'unreachable' },
    ...observed
  }: Partial<Observation> & { readonly reason?: FailureReason } = {},
): void {
  const observation: Observation = { bytes: 0, lane: 'reach', ...observed };
  const failure = { origin: origin.name, reason };
  for (let time = 0; time < times; time++) health.recordFailure(origin, failure, observation);
}

/** Records a successful answer of an origin after `headersMs` milliseconds. */
export function succeed(health: HealthRegistry, origin: Origin, headersMs = 40): void {
  health.recordSuccess(origin, { headersMs, bytes: 100, bodyMs: 1, lane: 'reach' });
}
