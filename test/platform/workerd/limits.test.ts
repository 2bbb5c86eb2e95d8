import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Stage, startStage } from '../../worker/stage.ts';
import { noFaults, type Faults } from '../faults.ts';
import { FAULTS_PATH, INVOCATIONS_PATH, type SeenInvocation } from './protocol.ts';
import { eventually } from '../../eventually.ts';

// The suites of test/worker that this project runs do stand within the limits: the wrapper is
// around the Worker, and counts.

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
beforeEach(() => switchTo(noFaults()));
afterAll(() => stage.close());

async function switchTo(faults: Partial<Faults>): Promise<void> {
  const body = JSON.stringify(faults);
  await fetch(stage.modferry.url + FAULTS_PATH, { method: 'POST', body });
}

async function countsOf(path: string): Promise<SeenInvocation['counts'][]> {
  const answer = await fetch(stage.modferry.url + INVOCATIONS_PATH);
  const seen = (await answer.json()) as SeenInvocation[];
  return seen.filter((one) => one.path === path).map(({ counts }) => counts);
}

it('a warm file is one look into the edge cache, and a cold one is fetched and stored', async () => {
  const path = `/${stage.freshModule().path}/@v/v1.0.0.info`;
  await stage.ask('/healthz');
  await stage.ask(path);
  await stage.stored(path.slice(1));
  await eventually(async () => {
    const [cold] = await countsOf(path);
    expect(cold).toMatchObject({ fetch: 1, kvWrite: 1, r2Write: 1 });
  });
  await stage.ask(path);
  const [, warm] = await countsOf(path);
  expect(warm).toMatchObject({ fetch: 0, cacheMatch: 1, cachePut: 0, r2Read: 0, r2Write: 0 });
});

it('a file is answered while KV and the edge cache take nothing, and R2 keeps it', async () => {
  const path = `/${stage.freshModule().path}/@v/v1.0.0.info`;
  await switchTo({ kvQuotaUsedUp: true, edgePuts: 'rejected' });
  expect(await stage.ask(path)).toMatchObject({ status: 200, asked: 1 });
  await stage.stored(path.slice(1));
  expect(await stage.ask(path)).toMatchObject({ status: 200, asked: 0 });
});
