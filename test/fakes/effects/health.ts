import type { Clock } from '../../../src/effects/clock.ts';
import type { Failure, Origin } from '../../../src/origins/origin.ts';
import { Pool } from '../../../src/origins/health/pool.ts';

/** A pool whose dice show the middle. */
export function fakePool(clock: Pick<Clock, 'now'>): Pool {
  return new Pool({ clock, random: () => 0.5 });
}

/** Tells a pool that an origin was refused so often: three times open its breaker. */
export function failTimes(
  pool: Pool,
  origin: Origin,
  times = 3,
  rest: Partial<Failure> = {},
): void {
  const failure: Failure = {
    origin: origin.name,
    cause: 'unreachable',
    text: 'connection failed',
    ...rest,
  };
  for (let time = 0; time < times; time++) pool.failed(origin, failure, { bytes: 0, isZip: false });
}

/** Tells a pool that an origin answered. */
export function succeed(pool: Pool, origin: Origin, headersAfter = 40): void {
  pool.succeeded(origin, { headersAfter, bytes: 100, bodyMs: 1, isZip: false });
}
