import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Miniflare } from 'miniflare';

/**
 * Files in the simulator of the edge cache, one for each entry. Each answer 404 leaves one or two
 * of them, of 4 KiB on most file systems, and Miniflare removes an expired one only when the same
 * address is asked for again.
 */
const MAX_ENTRIES = 20_000;

const INTERVAL_MS = 60_000;

const minute = () => delay(INTERVAL_MS, undefined, { ref: false });

export interface BoundOptions {
  /** Default: 20,000. */
  readonly maxEntries?: number;
  /** What is waited for between two looks. Default: a minute. */
  readonly pause?: () => Promise<unknown>;
}

/**
 * Empties the edge cache at once and after every pause where it has too many entries, until the
 * process ends. KV and R2 have what is lost, but for remembered 404s.
 */
export async function boundCache(
  miniflare: Pick<Miniflare, 'purgeCache'>,
  stateDirectory: string,
  { maxEntries = MAX_ENTRIES, pause = minute }: BoundOptions = {},
): Promise<never> {
  const entries = join(stateDirectory, 'cache', 'default', 'blobs');
  for (;;) {
    const files = await readdir(entries).catch(() => []); // there is none before the first entry
    // What fails is tried again.
    if (files.length > maxEntries) await miniflare.purgeCache().catch(() => undefined);
    await pause();
  }
}
