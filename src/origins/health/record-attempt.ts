import type { Attempt } from '../request/attempt.ts';
import type { Failure, Origin } from '../origin.ts';
import { usualTime } from './hedge.ts';
import type { Pool } from './pool.ts';
import type { Vitals } from '../request/attempt-progress.ts';

/** Tells the pool what an attempt says of its origin. */
export function learn(
  pool: Pool,
  {
    origin,
    result,
    vitals,
    isZip,
  }: {
    readonly origin: Origin;
    readonly result: Attempt<unknown>;
    readonly vitals: Vitals;
    readonly isZip: boolean;
  },
): void {
  const { bodyMs, bytes, headersAfter } = vitals;
  const observation = { bodyMs, bytes, headersAfter, isZip };
  if (result.kind === 'accepted') pool.succeeded(origin, observation);
  // An answer without a file says nothing of bodies.
  else if (result.kind === 'missing' || result.failure.isBlameless)
    pool.succeeded(origin, { ...observation, isZip: false });
  else if (isToBlame(result.failure, { vitals, patience: patienceOf(pool, origin) }))
    pool.failed(origin, result.failure, observation);
}

/**
 * Milliseconds of silence that are held against an origin: when the time was up earlier, that was
 * not its doing.
 */
function patienceOf(pool: Pool, { limits, url }: Origin): number {
  return Math.min(usualTime(pool.health({ url }).latency), limits.headersMs, limits.stallMs);
}

/**
 * What took too long or broke while it was modferry's own turn, or a checksum database's, is
 * nothing of the origin's.
 */
function isToBlame(
  { cause }: Failure,
  { vitals, patience }: { readonly vitals: Vitals; readonly patience: number },
): boolean {
  if (cause === 'unchecked') return false;
  if (cause === 'timeout') return vitals.silence >= patience;
  return vitals.waitingSince !== undefined || cause !== 'unreachable';
}
