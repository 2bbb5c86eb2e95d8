import { afterAll, beforeAll, expect, it } from 'vitest';
import { entryAddress } from '../../src/platform/cloudflare/data-centre.ts';
import { eventually } from '../eventually.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type BehindFront, startBehindFront } from './front.ts';

// The local run sets CACHE_HOST. Here it is not set, as in a deployment that has none.

let origin: FakeOrigin;
let modferry: BehindFront;
beforeAll(async () => {
  origin = await startOrigin({ modules: fixtureModules() });
  modferry = await startBehindFront({ ORIGINS: origin.url, SUMDBS: 'off' });
});
afterAll(async () => {
  await modferry.close();
  await origin.close();
});

it('entries of the edge cache stand under the host of the first request, also when the cron came first', async () => {
  const { default: cache } = await modferry.miniflare.getCaches();
  const entryAt = (host: string, key: string) => cache.match(entryAddress(host, key));
  const worker = await modferry.miniflare.getWorker('modferry');
  expect(await worker.scheduled({ cron: '*/15 * * * *' })).toMatchObject({ outcome: 'ok' });
  const key = 'example.com/hello/@v/v1.1.0.info';
  const answer = await fetch(`${modferry.url}/${key}`);
  expect(answer.status).toBe(200);
  await answer.text();
  await eventually(async () => expect(await entryAt('127.0.0.1', key)).toBeDefined());
  expect(modferry.log.filter((line) => line.includes('"trouble"'))).toEqual([]);
});
