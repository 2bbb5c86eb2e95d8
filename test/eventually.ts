import { setTimeout as sleep } from 'node:timers/promises';

const INTERVAL_MS = 20;
/** A loaded machine may need seconds. No test may end by its own limit, of 30 s, before that. */
const LIMIT_MS = 15_000;

/**
 * Repeats `check` until it does not throw, and returns what it returns; after 15 s its error is
 * thrown.
 *
 * No attempt outlives the call, as the last one of `vi.waitFor` does: in miniflare the call of a
 * binding blocks the process for ever when miniflare is disposed of meanwhile.
 */
export async function eventually<T>(check: () => T | Promise<T>): Promise<T> {
  const end = performance.now() + LIMIT_MS;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await sleep(INTERVAL_MS);
  }
}
