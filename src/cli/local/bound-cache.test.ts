import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { boundCache } from './bound-cache.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modferry-bound-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function addEntries(from: number, to: number): Promise<void> {
  const blobs = join(directory, 'cache', 'default', 'blobs');
  await mkdir(blobs, { recursive: true });
  for (let at = from; at < to; at++) await writeFile(join(blobs, String(at)), '');
}

it('the edge cache is emptied once it has too many entries, also where that failed before', async () => {
  let purged = 0;
  const purgeCache = async () => {
    purged += 1;
    if (purged === 1) throw new Error('not now');
    return 0;
  };
  const counts: number[] = [];
  const steps = [() => addEntries(0, 20), () => addEntries(20, 21), async () => {}];
  const end = new Error('the end');
  async function pause() {
    counts.push(purged);
    const step = steps.shift();
    if (!step) throw end;
    await step();
  }
  const run = boundCache({ purgeCache }, directory, { maxEntries: 20, pause });
  await expect(run).rejects.toBe(end);
  expect(counts).toEqual([0, 0, 1, 2]);
});
