import { describe, expect, it } from 'vitest';
import { settled } from '../fakes/effects/clock.ts';
import { untilDone } from '../fakes/mirror/context.ts';
import { as } from '../fakes/tokens.ts';
import type { Isolate } from './isolate.ts';
import { createScene } from './scene.ts';

// Tokens that are made by the API, in a deployment with several data centres and isolates.

const TOKENS = '/-/api/tokens';
const NAMED = JSON.stringify({ name: 'ci', scope: 'read' });

/** A resource that needs the scope `read`. */
const READ = '/-/api/origins';

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

async function make(isolate: Isolate): Promise<string> {
  const init = { method: 'POST', body: NAMED, headers: as('admin') };
  const { body, status } = await isolate.get(TOKENS, init);
  expect(status).toBe(201);
  return (JSON.parse(new TextDecoder().decode(body)) as { readonly token: string }).token;
}

const revoke = (isolate: Isolate) =>
  isolate.get(`${TOKENS}/ci`, { method: 'DELETE', headers: as('admin') });

const statusWith = async (isolate: Isolate, token: string) =>
  (await isolate.get(READ, { headers: bearer(token) })).status;

describe('in another data centre', () => {
  it('a token that was made is usable within 60 s, and at once in a fresh isolate', async () => {
    const { usedIsolate, world } = createScene();
    const [here, there] = [await usedIsolate('A'), await usedIsolate('B')];
    expect(await statusWith(there, 'a-wrong-token')).toBe(401);
    const token = await make(here);
    expect(await statusWith(here, token)).toBe(200);
    expect(await statusWith(await usedIsolate('B'), token)).toBe(200);
    await world.clock.advance(60_000);
    expect(await statusWith(there, token)).toBe(200);
  });

  it('a revoked token is refused within 60 s, however often it is used', async () => {
    const { usedIsolate, world } = createScene();
    const [here, busy, idle] = [
      await usedIsolate('A'),
      await usedIsolate('B'),
      await usedIsolate('C'),
    ];
    const token = await make(here);
    for (const isolate of [busy, idle]) expect(await statusWith(isolate, token)).toBe(200);
    await world.clock.advance(1_000); // R2 takes one write a second for a key
    expect((await revoke(here)).status).toBe(204);
    const until = world.clock.now() + 60_000;
    expect(await statusWith(here, token)).toBe(401);
    while (world.clock.now() < until) {
      await statusWith(busy, token);
      await world.clock.advance(1_000);
    }
    for (const isolate of [busy, idle, await usedIsolate('D')])
      expect(await statusWith(isolate, token)).toBe(401);
  });
});

it('of two isolates that make a token of one name at the same time exactly one does', async () => {
  const { usedIsolate, world } = createScene();
  const isolates = [await usedIsolate('A'), await usedIsolate('B')];
  const visits = isolates.map((isolate) =>
    isolate.visit(TOKENS, { method: 'POST', body: NAMED, headers: as('admin') }),
  );
  const answers = await untilDone(world.clock, Promise.all(visits.map(({ response }) => response)));
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
  const events = isolates.flatMap(({ events }) => events);
  expect(events.filter(({ event }) => event === 'admin')).toHaveLength(1);
});

it('wrong tokens cost one read of the bucket a minute, and those of TOKENS none', async () => {
  const { usedIsolate, world } = createScene();
  const isolate = await usedIsolate('A');
  const reads: number[] = [];
  const start = world.clock.now();
  for (let second = 0; second < 120; second++) {
    const headers = bearer(`a-wrong-token-${second}`);
    const { counts, status } = await isolate.get('/example.com/hello/@v/list', { headers });
    expect(status).toBe(401);
    reads.push(counts.r2Read);
    expect((await isolate.get('/', { headers: as('read') })).counts.r2Read).toBe(0);
    await world.clock.advance(start + (second + 1) * 1_000 - world.clock.now());
  }
  expect(reads.filter((calls) => calls > 0)).toEqual([1, 1]);
});

it('a bucket that never answers makes a new token unknown, and not wrong', async () => {
  const { usedIsolate, world } = createScene();
  const [here, there] = [await usedIsolate('A'), await usedIsolate('B')];
  const token = await make(here);
  await world.clock.advance(60_000);
  world.faults.r2SilentMs = 'for ever';
  const ask = async (isolate: Isolate) => {
    const { response } = isolate.visit(READ, { headers: bearer(token) });
    await settled();
    return untilDone(world.clock, response);
  };
  expect((await ask(here)).status).toBe(200);
  const unknown = await ask(there);
  expect([unknown.status, unknown.headers.get('Retry-After')]).toEqual([503, '5']);
  expect(await unknown.json()).toEqual({ error: expect.stringContaining('try again') });
});
