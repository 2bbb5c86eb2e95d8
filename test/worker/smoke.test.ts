import { afterAll, beforeAll, expect, it } from 'vitest';
import { startOrigin, type FakeOrigin } from '../fakes/origin.ts';
import { fixtureModules } from '../fakes/modules.ts';
import { type Modferry, startModferry } from './modferry.ts';
import { rawRequest } from './raw-request.ts';

let origin: FakeOrigin;
let modferry: Modferry;
beforeAll(async () => {
  origin = await startOrigin({ modules: fixtureModules() });
  modferry = await startModferry({ variables: { ORIGINS: origin.url } });
});
afterAll(async () => {
  await modferry.close();
  await origin.close();
});

it('twenty requests for a cold file are one request to the origin', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => rawRequest(modferry.url, '/example.com/hello/@v/v1.1.0.zip')),
  );
  expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
  expect(origin.count()).toBe(1);
});
