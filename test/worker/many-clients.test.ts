import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { flipStreamedBit } from '../fakes/origin/faults.ts';
import { goSum } from '../fakes/origin/module.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import type { FakeServer } from '../fakes/origin/fake-server.ts';
import { createLog, startLogServer } from '../fakes/sumdb/transparency-log.ts';
import { MB, serveBigZip, whole } from './big-zip.ts';
import { download } from './download.ts';
import { type Modferry, startModferry } from './modferry.ts';

// Sixty clients ask for one cold zip of 20 MB at the same moment, and its origins are bad.

const log = createLog();
let database: FakeServer;
let first: FakeOrigin;
let second: FakeOrigin;
let modferry: Modferry;

beforeAll(async () => {
  [first, second, database] = [await startOrigin(), await startOrigin(), await startLogServer(log)];
});
beforeEach(() => {
  for (const server of [first, second, database]) server.reset();
  return () => modferry.close();
});
afterAll(async () => {
  for (const server of [first, second, database]) await server.close();
});

async function start(TIMEOUT_TOTAL: string): Promise<void> {
  const ORIGINS = `${first.url}|${second.url}`;
  const SUMDBS = `${log.verifierKey} ${database.url}`;
  modferry = await startModferry({ variables: { ORIGINS, SUMDBS, TIMEOUT_TOTAL } });
}

function publish(name: string) {
  const served = serveBigZip(name, 20 * MB, { at: [first, second], by: modferry });
  const { mod } = served.zip;
  log.add(goSum(`big.example/${name}`, 'v1.0.0', { info: '', mod, zip: served.zip }));
  return served;
}

const requests = () => first.count('.zip') + second.count('.zip');

async function sixty(url: string) {
  const counts: Record<string, number> = {};
  const hashes = new Set<string>();
  const downloads = Array.from({ length: 60 }, async () => {
    const { broken, headers, sha256, status } = await download(url);
    const how = broken ? 'broken' : `${status} ${headers['retry-after'] ?? ''}`.trim();
    counts[how] = (counts[how] ?? 0) + 1;
    if (how === '200') hashes.add(sha256);
  });
  await Promise.all(downloads);
  return { counts, hashes: [...hashes] };
}

describe('sixty clients of one cold zip', () => {
  it('whose first origin has it wrong cost at most five requests, and all but the first one get it', async () => {
    await start('100s'); // nobody is refused, however busy this machine is
    const served = publish('wrong');
    first.set('/big.example/wrong/@v/v1.0.0.zip', { body: flipStreamedBit(served.zip, -3 * MB) });
    const { counts, hashes } = await sixty(served.url);
    expect(counts).toEqual({ broken: 1, 200: 59 });
    expect(hashes).toEqual([(await whole(served)).sha256]);
    expect(requests()).toBeLessThanOrEqual(5); // two, and a hedge or so where this machine is busy
  });

  it('whose origins send less than a megabyte a second cost at most five requests, and nobody gets a wrong file', async () => {
    await start('25s');
    const served = publish('slow');
    for (const origin of [first, second]) origin.fault({ drip: { bytesPerSecond: 0.9 * MB } });
    const { counts, hashes } = await sixty(served.url);
    expect(Object.keys(counts).filter((how) => how !== '200' && how !== '503 5')).toEqual([]);
    expect(hashes).toEqual([(await whole(served)).sha256]);
    expect(requests()).toBeLessThanOrEqual(5);
  }, 120_000);
});
