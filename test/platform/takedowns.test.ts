import { expect, it } from 'vitest';
import { textAnswer } from '../fakes/origin/answer.ts';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { answersOf } from '../fakes/origin/origin.ts';
import { as } from '../fakes/tokens.ts';
import { networkOf } from './upstream.ts';
import { createWorld } from './world.ts';

// A takedown in several data centres: what one isolate has found out holds in all of them.

const HELLO = '/example.com/hello/@v/v1.1.0';
const FILES = ['info', 'mod', 'zip'].map((kind) => `${HELLO}.${kind}`);
const OTHER = '/example.com/dep/@v/v1.0.0.mod';

/** A deployment with a final origin and a mirror of it. */
function deployment() {
  const official = { refuses: false };
  const files = answersOf(fixtureModules());
  const asked: string[] = [];
  const world = createWorld({
    variables: {
      ORIGINS: JSON.stringify([
        { name: 'official', url: 'https://official.example', refusal: 'final' },
        { name: 'mirror', url: 'https://mirror.example' },
      ]),
      SUMDBS: 'off',
    },
    fetch: networkOf({
      'https://official.example'(path) {
        asked.push(`official${path}`);
        return official.refuses && path.startsWith(HELLO) ? textAnswer(403, 'no') : files(path);
      },
      'https://mirror.example'(path) {
        asked.push(`mirror${path}`);
        return files(path);
      },
    }),
  });
  return { asked, official, world };
}

it('a takedown holds in every data centre within a minute, for copies of every tier', async () => {
  const { asked, official, world } = deployment();
  const [here, there] = [world.dataCentre('A').isolate(), world.dataCentre('B').isolate()];
  for (const isolate of [here, there])
    for (const path of [OTHER, ...FILES]) expect((await isolate.get(path)).status).toBe(200);

  official.refuses = true;
  const fresh = world.dataCentre('A').isolate();
  await fresh.get(OTHER);
  await here.cron();
  expect(here.events).toContainEqual(
    expect.objectContaining({ event: 'security', kind: 'takedown', version: 'v1.1.0' }),
  );
  for (const path of FILES) expect((await here.get(path)).status).toBe(403);
  await world.clock.advance(60_000);
  asked.length = 0;
  for (const isolate of [here, there, fresh, world.dataCentre('C').isolate()]) {
    for (const path of FILES) {
      expect((await isolate.get(path)).status).toBe(403);
      expect((await isolate.get(`/cached-only${path}`)).status).toBe(403);
    }
    expect((await isolate.get(OTHER)).status).toBe(200);
  }
  expect(asked).toEqual([]);

  // Lifted by an isolate that has not seen the document for long.
  const lift = { method: 'DELETE', headers: as('admin') };
  const { status } = await there.get('/-/api/takedowns/example.com/hello@v1.1.0', lift);
  expect(status).toBe(204);
  await world.clock.advance(60_000);
  for (const isolate of [here, there, fresh])
    for (const path of FILES) expect((await isolate.get(path)).status).toBe(200);
  expect(asked).toEqual([]);
});

it('a takedown is lifted by an isolate that did not know of it', async () => {
  const { official, world } = deployment();
  const [here, there] = [world.dataCentre('A').isolate(), world.dataCentre('B').isolate()];
  for (const isolate of [here, there]) await isolate.get(OTHER);
  official.refuses = true;
  expect((await here.get(`${HELLO}.mod`)).status).toBe(403);
  await world.clock.advance(2_000); // R2 takes one write a second for a key
  const lift = { method: 'DELETE', headers: as('admin') };
  expect((await there.get('/-/api/takedowns/example.com/hello@v1.1.0', lift)).status).toBe(204);
  expect((await there.get(`${HELLO}.mod`)).status).toBe(200);
  await world.clock.advance(60_000);
  expect((await here.get(`${HELLO}.mod`)).status).toBe(200);
});
