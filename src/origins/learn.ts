import type { Attempt } from './attempt.ts';
import type { Failure, Origin } from './origin.ts';
import type { Pool } from './pool.ts';
import type { Vitals } from './vitals.ts';

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
  else if (isToBlame(result.failure, vitals)) pool.failed(origin, result.failure, observation);
}

/** What took too long or broke while it was modferry's own turn, or a checksum database's, is nothing of the origin's. */
function isToBlame({ cause }: Failure, { waitingSince }: Vitals): boolean {
  if (cause === 'unchecked') return false;
  return waitingSince !== undefined || (cause !== 'timeout' && cause !== 'unreachable');
}
