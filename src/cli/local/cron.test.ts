import { describe, expect, it } from 'vitest';
import { runCron } from './cron.ts';
import { eventually } from '../../../test/eventually.ts';

type Workers = Parameters<typeof runCron>[0];

/** A Worker whose cron handler is `run`. */
function workersWith(run: () => Promise<unknown>): Workers {
  return { getWorker: async () => ({ scheduled: run }) } as unknown as Workers;
}

/** A pause that ends at once for so many times, and then never. */
function pauses(times: number): () => Promise<void> {
  let left = times;
  return () => (left-- > 0 ? Promise.resolve() : new Promise(() => undefined));
}

describe('the cron of the local run', () => {
  it('runs at once, and again after each pause', async () => {
    let runs = 0;
    void runCron(
      workersWith(async () => void (runs += 1)),
      pauses(2),
    );
    await eventually(() => expect(runs).toBe(3));
  });

  it('goes on after a run that failed', async () => {
    let runs = 0;
    const fail = () => {
      runs += 1;
      return Promise.reject(new Error('workerd has ended'));
    };
    void runCron(workersWith(fail), pauses(1));
    await eventually(() => expect(runs).toBe(2));
  });
});
