import { setTimeout as sleep } from 'node:timers/promises';

const INTERVAL_MS = 5;
/** A loaded machine may need seconds. The limit of a unit test itself, 30 s, comes after it. */
const LIMIT_MS = 15_000;

/**
 * Repeats `check` until it does not throw, and returns what it returns; after `limitMs` its error
 * is thrown.
 *
 * No attempt outlives the call, as the last one of `vi.waitFor` does: in miniflare the call of a
 * binding blocks the process for ever when miniflare is disposed of meanwhile.
 */
export async function eventually<T>(check: () => T | Promise<T>, limitMs = LIMIT_MS): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await sleep(INTERVAL_MS);
  }
}
