import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import type { Fault } from '../../../test/fakes/origin/faults.ts';
import { originOf, socketFetch } from '../../../test/fakes/effects/fetch.ts';
import { hello } from '../../../test/fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../../../test/fakes/origin/origin.ts';
import { attempt } from './attempt.ts';

let server: FakeOrigin;
let other: FakeOrigin;
beforeAll(async () => {
  server = await startOrigin({ modules: [hello()] });
  other = await startOrigin({ modules: [hello()] });
});
beforeEach(() => {
  server.reset();
  other.reset();
});
afterAll(async () => {
  await server.close();
  await other.close();
});

const PATH = '/example.com/hello/@v/v1.1.0.zip';

function ask(clock = fakeClock(), path = PATH) {
  const question = {
    path,
    accept: async (body: { all(limit: number): Promise<Uint8Array> }) => body.all(1e6),
  };
  const origin = originOf('real', { url: server.url, authorization: 'Bearer secret' });
  return attempt(origin, question, { fetch: socketFetch, clock, ms: 25_000 });
}

it.each<[Fault, string]>([
  ['reset', 'unreachable'],
  ['truncate', 'unreachable'],
  [500, 'status'],
  ['redirect-loop', 'answer'],
])('over a real connection, %s is a failure: %s', async (fault, cause) => {
  server.fault(fault);
  expect(await ask()).toMatchObject({ kind: 'failed', failure: { cause } });
});

it.each<[Fault | undefined]>([[undefined], ['no-length'], ['redirect']])(
  'over a real connection, %s gives the file',
  async (fault) => {
    server.fault(fault);
    expect((await ask()).kind).toBe('accepted');
  },
);

it.each<[string, Fault, number]>([
  ['headers that do not come', 'hang', 10_000],
  ['a body that stalls', { 'freeze-after': 10 }, 20_000],
])('%s: the connection is closed, not only forgotten', async (_, fault, limit) => {
  server.fault(fault);
  const clock = fakeClock();
  const asked = ask(clock);
  await vi.waitUntil(() => server.count() === 1 && clock.alarms.includes(limit));
  await clock.advance(limit);
  expect(await asked).toMatchObject({ failure: { cause: 'timeout' } });
  await vi.waitUntil(() => server.requests[0]?.state === 'broken');
});

it('a redirect to another server does not tell it the Authorization', async () => {
  server.fault({ redirect: other.url });
  expect((await ask()).kind).toBe('accepted');
  expect(server.requests[0]?.headers.authorization).toBe('Bearer secret');
  expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
});
