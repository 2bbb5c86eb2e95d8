import { setTimeout as delay } from 'node:timers/promises';
import type { Miniflare } from 'miniflare';

/** As in wrangler.toml: Miniflare has no scheduler of its own. */
const INTERVAL_MS = 15 * 60_000;

const quarterHour = () => delay(INTERVAL_MS, undefined, { ref: false });

type Workers = Pick<Miniflare, 'getWorker'>;

/**
 * Calls the Worker's cron handler at once and after every pause, until the process ends. The pauses
 * do not keep the process alive.
 */
export async function runCron(
  workers: Workers,
  pause: () => Promise<unknown> = quarterHour,
): Promise<never> {
  for (;;) {
    await runOnce(workers);
    await pause();
  }
}

/** What fails in a run is in the Worker's log; a run that the end of workerd cuts off is lost. */
async function runOnce(workers: Workers): Promise<void> {
  try {
    const worker = await workers.getWorker();
    await worker.scheduled();
  } catch {
    // There is a next run.
  }
}
