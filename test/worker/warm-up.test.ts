import { expect, it } from 'vitest';
import { startBundledWorker } from './bundled-worker.ts';

it('the warm-up ends before the first request, with what workerd allows at start-up', async () => {
  const worker = await startBundledWorker('test/worker/warming-worker.ts');
  try {
    expect(await (await fetch(worker.url)).text()).toBe('it is done');
  } finally {
    await worker.close();
  }
});
