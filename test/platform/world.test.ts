import { as } from '../fakes/tokens.ts';
import { describe, expect, it } from 'vitest';
import { settled } from '../fakes/effects/clock.ts';
import { untilDone } from '../fakes/mirror/context.ts';
import type { Faults } from './faults.ts';
import type { Answer } from './isolate.ts';
import { FREE } from './limits.ts';
import { createScene } from './scene.ts';
import { createWorld } from './world.ts';

// modferry in several data centres, and on a platform that does not do what it should.

const INFO = '/example.com/hello/@v/v1.1.0.info';
const MOD = '/example.com/hello/@v/v1.1.0.mod';
const ZIP = '/example.com/hello/@v/v1.1.0.zip';
const LIST = '/example.com/hello/@v/list';

const tierOf = ({ headers }: Answer) => headers.get('Cache-Status');

describe('two data centres', () => {
  it('have one bucket, and each an edge cache of its own', async () => {
    const { fetched, usedIsolate, world } = createScene();
    await (await usedIsolate('A')).get(INFO);
    const elsewhere = await usedIsolate('B');
    const before = fetched.length;
    expect(tierOf(await elsewhere.get(INFO))).toContain('r2');
    expect(tierOf(await elsewhere.get(INFO))).toContain('edge');
    expect(fetched.slice(before)).toEqual([]);
    world.dataCentre('B').cache.evict();
    expect(tierOf(await elsewhere.get(INFO))).toContain('r2');
  });

  it('have one namespace, in which the other one sees a file after a minute', async () => {
    const { usedIsolate, world } = createScene();
    await (await usedIsolate('A')).get(INFO);
    await world.clock.advance(60_000);
    expect(tierOf(await (await usedIsolate('B')).get(INFO))).toContain('kv');
  });
});

describe('a stored file that fails its check', () => {
  it('is served by no data centre after a minute, whatever copies these have kept', async () => {
    const { usedIsolate, world } = createScene();
    const [here, there] = [await usedIsolate('A'), await usedIsolate('B')];
    const right = (await here.get(MOD)).body;
    const key = MOD.slice(1);
    // Somebody who can write to the bucket has changed the file, and left its mark as it was.
    const customMetadata = { ...world.bucket.objects.get(key)?.customMetadata };
    await world.bucket.put(key, new TextEncoder().encode('module wrong\n'), { customMetadata });
    for (const name of ['A', 'B']) world.dataCentre(name).cache.evict();
    await world.namespace.seenFrom('A').delete(key);
    await world.clock.advance(400_000);
    for (const isolate of [here, there]) {
      expect(new TextDecoder().decode((await isolate.get(MOD)).body)).toBe('module wrong\n');
      expect(tierOf(await isolate.get(MOD))).toContain('edge');
    }

    await here.cron();
    expect(here.events).toContainEqual(
      expect.objectContaining({ event: 'security', kind: 'stored-mismatch' }),
    );
    expect((await here.get(MOD)).body).toEqual(right);
    await world.clock.advance(60_000);
    for (const isolate of [there, await usedIsolate('B'), await usedIsolate('C')]) {
      expect((await isolate.get(MOD)).body).toEqual(right);
    }
    await world.clock.advance(20 * 86_400_000);
    expect((await there.get(MOD)).body).toEqual(right);
  });
});

describe.each([
  ['damaged', '{"version":1,'],
  ['from a newer release', '{"version":2,"marks":{},"takedowns":{}}'],
])('a document of marks that is %s', (_, text) => {
  it('is logged once, costs no client its answer, and stays as it is', async () => {
    const { usedIsolate, world } = createScene();
    await world.bucket.put('.modferry/marks.json', new TextEncoder().encode(text));
    const isolate = await usedIsolate('A');
    for (const path of [LIST, INFO, MOD, ZIP, MOD]) {
      const { status } = await isolate.get(path);
      expect({ path, status }).toEqual({ path, status: 200 });
      await world.clock.advance(61_000);
    }
    expect(isolate.events.filter(({ event }) => event === 'trouble')).toHaveLength(1);
    const kept = world.bucket.objects.get('.modferry/marks.json');
    expect(new TextDecoder().decode(kept?.bytes)).toBe(text);
  });
});

/** The places of the other documents that isolates share, in KV. */
const IN_KV = ['-/health', '-/probes', '-/cron'];

describe.each(
  IN_KV.flatMap(
    (key) =>
      [
        ['damaged', key],
        ['from a newer release', key],
      ] as const,
  ),
)('a text that is %s at %s', (kind, key) => {
  it('is logged once, and costs no client its answer', async () => {
    const { usedIsolate, world } = createScene();
    const text = kind === 'damaged' ? '{"version":' : '{"version":99}';
    const until = world.clock.now() + 3_600_000;
    await world.namespace.seenFrom('A').put(key, text, { metadata: { until } });
    const isolate = await usedIsolate('A');
    for (let minute = 0; minute < 6; minute++) {
      for (const path of [LIST, '/readyz', '/-/api/origins'])
        expect((await isolate.get(path, { headers: as('read') })).status).toBe(200);
      await world.clock.advance(61_000);
    }
    const troubles = isolate.events.filter(({ event }) => event === 'trouble');
    expect(troubles).toHaveLength(1);
    const { value } = await world.namespace.seenFrom('A').getWithMetadata(key, 'text');
    // Only a damaged text may be written over.
    expect(kind === 'damaged' || value === text).toBe(true);
  });
});

describe('a client that leaves before the headers', () => {
  it('is reported, and the request to the origin is aborted', async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    const world = createWorld({
      variables: { ORIGINS: 'https://origin.example', SUMDBS: 'off' },
      fetch(_url, { signal }) {
        signals.push(signal);
        return new Promise((_, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason)),
        );
      },
    });
    const visit = world.dataCentre('A').isolate().visit(LIST);
    await settled();
    expect(signals.map((signal) => signal?.aborted)).toEqual([false]);
    visit.leave();
    // The race of the origins looks after it from time to time.
    await world.clock.advance(1000);
    expect(signals.map((signal) => signal?.aborted)).toEqual([true]);
    await (await visit.response).body?.cancel();
    await visit.ended();
  });
});

const FAULTS: readonly (readonly [string, Partial<Faults>])[] = [
  ['a quota of KV that is used up', { kvQuotaUsedUp: true }],
  ['an edge cache that drops every put', { edgePuts: 'dropped' }],
  ['an edge cache that rejects every put', { edgePuts: 'rejected' }],
];

describe.each(FAULTS)('%s', (_name, fault) => {
  it('costs no client its answer and loses no file', async () => {
    const { usedIsolate, world } = createScene();
    const isolate = await usedIsolate('A');
    Object.assign(world.faults, fault);
    for (const path of [LIST, INFO, MOD, ZIP, INFO, ZIP]) {
      const answer = await isolate.get(path);
      expect({ path, status: answer.status }).toEqual({ path, status: 200 });
    }
    for (const path of [INFO, MOD, ZIP]) expect(world.bucket.objects.has(path.slice(1))).toBe(true);
  });
});

it.each([LIST, INFO, MOD, ZIP])(
  'a second of silence from R2 costs no client its answer and loses no file: %s',
  async (path) => {
    const { usedIsolate, world } = createScene();
    const isolate = await usedIsolate('A');
    world.faults.r2SilentMs = 1000;
    const visit = isolate.visit(path);
    const response = await untilDone(world.clock, visit.response);
    expect(response.status).toBe(200);
    await response.bytes();
    await untilDone(world.clock, visit.ended());
    expect([...world.bucket.objects.keys()]).toContain(path.slice(1));
  },
);

/** The status of an answer while R2 never answers. */
async function statusOf(path: string): Promise<number> {
  const { usedIsolate, world } = createScene();
  const isolate = await usedIsolate('A');
  world.faults.r2SilentMs = 'for ever';
  const { response } = isolate.visit(path);
  return (await untilDone(world.clock, response)).status;
}

describe('an R2 that never answers', () => {
  it.each([LIST, INFO])('costs no client its answer: %s', async (path) => {
    expect(await statusOf(path)).toBe(200);
  });

  // A call that is given up holds its connection on, so only two of them may be lost.
  it.each([MOD, ZIP])('costs no client its answer: %s', async (path) => {
    expect(await statusOf(path)).toBe(200);
  });
});

it.each<Partial<Faults>>([{ kvQuotaUsedUp: true }, { edgePuts: 'rejected' }])(
  'a tier that takes no writes is logged once: %o',
  async (fault) => {
    const { usedIsolate, world } = createScene();
    const isolate = await usedIsolate('A');
    Object.assign(world.faults, fault);
    for (const path of [INFO, MOD, ZIP]) await isolate.get(path);
    expect(isolate.events.filter(({ event }) => event === 'trouble')).toHaveLength(1);
  },
);

it.each([2, 3, 4, 5, 6])(
  'calls that the platform refuses are logged once, after %i external ones',
  async (externalCalls) => {
    const { usedIsolate } = createScene({ limits: { ...FREE, externalCalls } });
    const isolate = await usedIsolate('A');
    const before = isolate.events.length;
    expect((await isolate.get(MOD)).status).toBe(503);
    const troubles = isolate.events.slice(before).filter(({ event }) => event === 'trouble');
    expect(troubles).toMatchObject([{ label: 'limit of the platform' }]);
  },
);

it('background work that never ends is ended by the platform, 30 s after the answer', async () => {
  const { usedIsolate, world } = createScene();
  const isolate = await usedIsolate('A');
  const visit = isolate.visit(LIST);
  world.faults.r2SilentMs = 'for ever';
  const response = await visit.response;
  expect(response.status).toBe(200);
  await response.bytes();
  visit.invocation.answered();
  const over = visit.ended();
  await world.clock.advance(30_000);
  await over;
  expect(visit.invocation.ended.aborted).toBe(true);
});
