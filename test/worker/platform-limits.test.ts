import { afterAll, beforeAll, expect, it } from 'vitest';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type Modferry, startModferry } from './modferry.ts';
import { fetchOrigins } from './origin-report.ts';
import { askCounting } from './stage.ts';
import { eventually } from '../eventually.ts';

// What the platform does with the calls of a request: it refuses those beyond a limit, and adds
// headers to those that leave. workerd enforces no limit, so the Worker's `fetch` is replaced by
// one that refuses each path that ends in `.mod`.

const REFUSING = `
  const sent = globalThis.fetch;
  globalThis.fetch = async (url, init) => {
    if (String(url).endsWith('.mod'))
      throw new Error('Too many subrequests by single Worker invocation.');
    return sent(url, init);
  };
`;

let a: FakeOrigin;
let b: FakeOrigin;
let modferry: Modferry;
beforeAll(async () => {
  a = await startOrigin({ modules: fixtureModules() });
  b = await startOrigin({ modules: fixtureModules() });
  const variables = { ORIGINS: `${a.url}|${b.url}` };
  modferry = await startModferry({ variables, prelude: REFUSING });
});
afterAll(async () => {
  await modferry.close();
  await a.close();
  await b.close();
});

const ask = (target: string) => askCounting(modferry, target, { servers: [a, b] });

it('a call that the platform refuses is a 503 to repeat, one line in the log, and blames no origin', async () => {
  for (let at = 0; at < 4; at++) {
    const answer = await ask('/example.com/hello/@v/v1.1.0.mod');
    expect([answer.status, answer.headers['retry-after'], answer.asked]).toEqual([503, '1', 0]);
  }
  const { origins } = await fetchOrigins(modferry);
  expect(origins.map(({ breakers, counters }) => [breakers.reach, counters.failed])).toEqual(
    origins.map(() => [{ state: 'closed', failures: 0 }, 0]),
  );
  await eventually(() =>
    expect(modferry.log.filter(({ event }) => event === 'trouble')).toMatchObject(
      Array.from({ length: 4 }, () => ({ label: 'limit of the platform' })),
    ),
  );
});

it('an origin gets no address of a client, and is not asked past its own cache', async () => {
  await fetch(`${modferry.url}/example.com/hello/@v/v1.1.0.info`, {
    headers: { 'X-Real-IP': '198.51.100.7', 'X-Forwarded-For': '198.51.100.7' },
  });
  const [request] = [...a.requests, ...b.requests];
  expect(request?.headers).toMatchObject({ 'x-real-ip': '192.0.2.1', 'user-agent': 'modferry' });
  expect(Object.keys(request?.headers ?? {}).toSorted()).toEqual([
    'accept-encoding',
    'cf-worker', // added by the platform, which lets nobody change it
    'host',
    'user-agent',
    'x-real-ip',
  ]);
});
