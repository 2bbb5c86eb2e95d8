import { describe, expect, it } from 'vitest';
import { modulePath, version } from '../../../test/fakes/effects/values.ts';
import { type FakeModferry, fakeModferry } from '../../../test/fakes/modferry.ts';
import { hash } from '../../../test/fakes/sumdb/log-client.ts';
import { createLog, type FakeLog } from '../../../test/fakes/sumdb/transparency-log.ts';
import type { Version } from '../../module/version.ts';
import type { Age } from '../policy/age.ts';

const HELLO = modulePath('example.com/hello');
const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
const TEN_YEARS_AGO = '2016-01-01T00:00:00Z';

/** Records of these versions of a module. */
function publish(log: FakeLog, versions: readonly string[], module: string = HELLO) {
  for (const name of versions)
    log.add(`${module} ${name} ${hash(1)}\n${module} ${name}/go.mod ${hash(2)}\n`);
}

interface WorldOptions {
  readonly variables?: Readonly<Record<string, string>>;
  /** The Time of each `.info`; default ten years ago. */
  readonly times?: Readonly<Record<string, string | undefined>>;
  /** Another database behind the first one. */
  readonly second?: FakeLog;
  /** How many other records the log has at first. */
  readonly size?: number;
}

/** A log, an origin, and isolates of modferry that share a store. */
function world({ variables = {}, times = {}, second, size = 0 }: WorldOptions = {}) {
  const log = createLog({ name: 'sum.example', start: { size, records: new Map() } });
  publish(log, ['v0.0.1', 'v0.0.2'], 'example.com/other');
  let serve: (path: string) => string | Uint8Array | undefined = (path) => log.answer(path);
  const databases = [`${log.verifierKey} https://log.example`];
  if (second) databases.push(`${second.verifierKey} https://second.example`);
  const answerOf = (find: typeof serve) => {
    return ({ url }: { readonly url: string }) => {
      const body = find(decodeURIComponent(new URL(url).pathname));
      if (body === undefined) return new Response('not found', { status: 404 });
      return new Response(typeof body === 'string' ? body : new Uint8Array(body));
    };
  };
  const replies = {
    'https://log.example/': answerOf((path) => serve(path)),
    'https://second.example/': answerOf((path) => second?.answer(path)),
    'https://a.example/': ({ url }: { readonly url: string }) => {
      const [, name = ''] = /@v\/(.*)\.info$/.exec(url) ?? [];
      const Time = name in times ? times[name] : TEN_YEARS_AGO;
      return Time === 'gone'
        ? new Response('not found', { status: 404 })
        : Response.json({ Version: name, Time });
    },
  };
  let first: FakeModferry | undefined;
  function isolate(more: Readonly<Record<string, string>> = {}) {
    const modferry = fakeModferry({
      variables: {
        ORIGINS: 'https://a.example',
        SUMDBS: databases.join(','),
        ...variables,
        ...more,
      },
      replies,
      ...(first && { beside: first }),
    });
    first ??= modferry;
    const openContext = () => modferry.open(modferry.incoming, 'id').context;
    const openAges = () => modferry.ages.openAges(openContext());
    const asked = () => [
      ...new Set(modferry.fetch.calls.flatMap(({ url }) => /lookup.*@(.*)$/.exec(url)?.[1] ?? [])),
    ];
    return {
      ...modferry,
      openContext,
      openAges,
      /** The versions that the databases were asked for. */
      asked,
      lookups: () => asked().length,
      /** The age of a version, with all that is done behind the answer. */
      async age(name: string, minAgeMs: number, module = HELLO): Promise<Age> {
        const age = await openAges().of(module, version(name), minAgeMs);
        await modferry.idle();
        return age;
      },
      /** The versions of a list that are old, young and unknown, in a request of its own. */
      async list(versions: readonly Version[], minAgeMs: number) {
        const all = await openAges().ofAll(HELLO, versions, minAgeMs);
        const counts: Record<string, number> = {};
        for (const { kind } of all.values()) counts[kind] = (counts[kind] ?? 0) + 1;
        return counts;
      },
      /** Observes the log as the cron does. */
      async observe() {
        await modferry.runCron(modferry.incoming, 'cron');
        await modferry.idle();
      },
    };
  }
  return {
    log,
    isolate,
    answerWith: (other: typeof serve) => void (serve = other),
  };
}

const OLD = { kind: 'old' };
const versionsOf = (count: number) =>
  Array.from({ length: count }, (_, minor) => version(`v1.${minor}.0`));

describe('the age of a version', () => {
  it('counts from the observation of its record, whatever its .info says', async () => {
    const { isolate, log } = world();
    const { age, clock, observe } = isolate();
    await observe();
    publish(log, ['v1.0.0']);
    await clock.advance(HOUR);
    const from = clock.now() + 20 * SECOND;
    expect(await age('v1.0.0', 20 * SECOND)).toEqual({ kind: 'young', from });
    await clock.advance(20 * SECOND - 1);
    expect(await age('v1.0.0', 20 * SECOND)).toEqual({ kind: 'young', from });
    await clock.advance(1);
    expect(await age('v1.0.0', 20 * SECOND)).toEqual(OLD);
    expect(await age('v1.0.0', HOUR)).toMatchObject({ kind: 'young' });
  });

  it('counts from an observation that was made before anybody asked for the version', async () => {
    const { isolate, log } = world();
    const { age, clock, observe } = isolate();
    await observe();
    publish(log, ['v1.0.0']);
    await clock.advance(HOUR);
    await observe();
    const observedAt = clock.now();
    await clock.advance(DAY);
    expect(await age('v1.0.0', WEEK)).toEqual({ kind: 'young', from: observedAt + WEEK });
    expect(await age('v1.0.0', DAY)).toEqual(OLD);
  });

  it.each<[string, string | undefined, (start: number) => Partial<Age> & { from?: number }]>([
    ['ten years ago', TEN_YEARS_AGO, () => OLD as Age],
    ['two days ago', '2025-12-30T00:00:00Z', (start) => ({ from: start - 2 * DAY + WEEK })],
    ['in the future', '2031-01-01T00:00:00Z', (start) => ({ from: start + WEEK })],
    ['none', undefined, (start) => ({ from: start + WEEK })],
  ])(
    'of a record that the first observation has goes by its .info, of %s',
    async (_, time, expected) => {
      const { isolate, log } = world({ times: { 'v1.0.0': time } });
      publish(log, ['v1.0.0']);
      const { age, clock, observe } = isolate();
      const start = clock.now();
      await observe();
      await clock.advance(HOUR);
      expect(await age('v1.0.0', WEEK)).toMatchObject(expected(start));
      await clock.advance(WEEK - HOUR);
      expect(await age('v1.0.0', WEEK)).toEqual(OLD);
    },
  );

  it('is unknown where that .info cannot be had, until the first observation is old', async () => {
    const { isolate, log } = world({ times: { 'v1.0.0': 'gone' } });
    publish(log, ['v1.0.0']);
    const { age, clock, observe } = isolate();
    await observe();
    expect(await age('v1.0.0', WEEK)).toMatchObject({
      kind: 'unknown',
      why: expect.stringContaining('.info'),
    });
    await clock.advance(WEEK);
    expect(await age('v1.0.0', WEEK)).toEqual(OLD);
  });

  it('survives a restart, and so do observations', async () => {
    const { isolate, log } = world();
    const before = isolate();
    await before.observe();
    publish(log, ['v1.0.0', 'v1.1.0']);
    await before.clock.advance(HOUR);
    const from = before.clock.now() + WEEK;
    expect(await before.age('v1.0.0', WEEK)).toEqual({ kind: 'young', from });
    await before.clock.advance(DAY);
    const after = isolate();
    expect(await after.age('v1.0.0', WEEK)).toEqual({ kind: 'young', from });
    expect(after.lookups()).toBe(0);
    expect(await after.age('v1.1.0', WEEK)).toEqual({ kind: 'young', from });
    await after.clock.advance(WEEK - DAY);
    expect(await isolate().age('v1.0.0', WEEK)).toEqual(OLD);
  });

  it('is the same in every isolate', async () => {
    const { isolate, log } = world();
    const [a, b] = [isolate(), isolate()];
    await a.observe();
    publish(log, ['v1.0.0']);
    await a.clock.advance(HOUR);
    const young = await a.age('v1.0.0', HOUR);
    await a.clock.advance(30 * SECOND);
    expect(await b.age('v1.0.0', HOUR)).toEqual(young);
    expect(b.lookups()).toBe(0);
    await a.clock.advance(HOUR - 30 * SECOND);
    expect([await a.age('v1.0.0', HOUR), await b.age('v1.0.0', HOUR)]).toEqual([OLD, OLD]);
  });

  it('is the older one of two isolates that both looked it up, also in what they write', async () => {
    const { isolate, log } = world();
    const [a, b] = [isolate(), isolate()];
    await b.age('v9.0.0', HOUR); // reads what there is, and does so again in ten seconds
    await b.observe();
    await b.clock.advance(6 * SECOND);
    publish(log, ['v1.0.0']);
    const from = a.clock.now() + HOUR;
    expect(await a.age('v1.0.0', HOUR)).toEqual({ kind: 'young', from });
    await a.clock.advance(3 * SECOND);
    expect(await b.openAges().of(HELLO, version('v1.0.0'), HOUR)).toEqual({ kind: 'young', from });
    await b.idle();
    expect(await isolate().age('v1.0.0', HOUR)).toEqual({ kind: 'young', from });
  });

  it('counts from what is written when the answer is given, so that it outlives a kill', async () => {
    const { isolate, log } = world();
    const { age, clock, openAges, tiers } = isolate();
    await age('v9.0.0', HOUR);
    for (const names of [['v1.0.0'], ['v1.1.0', 'v1.2.0']]) {
      publish(log, names);
      await clock.advance(100);
      await openAges().of(HELLO, version(names.at(-1) ?? ''), HOUR);
    }
    const document = [...tiers.durable.files].find(([key]) => key.startsWith('.modferry/log/'));
    const text = new TextDecoder().decode(document?.[1].bytes);
    expect(text).toContain(`[${log.size},`);
  });

  it('is unknown while the database cannot be asked, and the text says why', async () => {
    const { answerWith, isolate, log } = world();
    const { age, clock, observe } = isolate();
    await observe();
    publish(log, ['v1.0.0']);
    answerWith(() => {
      throw new TypeError('refused');
    });
    const asking = age('v1.0.0', HOUR);
    for (let at = 0; at < 20; at += 1) await clock.advance(SECOND);
    expect(await asking).toMatchObject({
      kind: 'unknown',
      why: expect.stringContaining('sum.example'),
    });
    answerWith((path) => log.answer(path));
    await clock.advance(HOUR);
    expect(await age('v1.0.0', HOUR)).toMatchObject({ kind: 'young' });
  });

  it('is unknown while what was observed cannot be read: it could be the first observation', async () => {
    const { isolate, log } = world();
    publish(log, ['v1.0.0']);
    const { age, clock, tiers } = isolate();
    const { readForSwap } = tiers.durable;
    tiers.durable.readForSwap = async () => {
      throw new Error('down');
    };
    expect(await age('v1.0.0', HOUR)).toMatchObject({
      kind: 'unknown',
      why: expect.stringContaining('what was observed'),
    });
    tiers.durable.readForSwap = readForSwap;
    await clock.advance(HOUR);
    expect(await age('v1.0.0', HOUR)).toEqual(OLD);
  });

  it('is uncovered where no database has a record, and looked up again at the next request', async () => {
    const { isolate, log } = world();
    const { age, clock, observe } = isolate();
    await observe();
    expect(await age('v1.0.0', HOUR)).toEqual({
      kind: 'uncovered',
      why: 'sum.example has no record of it, which would say how old it is',
    });
    await clock.advance(6 * SECOND); // two tree heads within five would wait for their turn
    publish(log, ['v1.0.0']);
    expect(await age('v1.0.0', HOUR)).toMatchObject({ kind: 'young' });
    expect(await isolate({ SUMDBS: 'off', VERIFY: 'off' }).age('v1.0.0', HOUR)).toEqual({
      kind: 'uncovered',
      why: 'no checksum database is configured that would say how old it is',
    });
  });

  it('is that in the first database that has a record, by its own observations', async () => {
    const second = createLog({ name: 'second.example' });
    publish(second, ['v1.0.0']);
    const { isolate, log } = world({ second });
    const { age, clock, observe } = isolate();
    await observe();
    await clock.advance(HOUR);
    expect(await age('v1.0.0', HOUR)).toEqual(OLD);
    publish(log, ['v1.1.0']);
    publish(second, ['v1.1.0', 'v1.2.0']);
    const from = clock.now() + HOUR;
    expect(await age('v1.1.0', HOUR)).toEqual({ kind: 'young', from });
    await clock.advance(HOUR);
    expect(await age('v1.2.0', HOUR)).toEqual({ kind: 'young', from: from + HOUR });
  });

  it('of a tree head that the database did not sign, or of a fork, is no observation', async () => {
    const { answerWith, isolate, log } = world();
    const { age, clock, observe } = isolate();
    await observe();
    const fork = log.fork(1);
    publish(fork, ['v9.0.0', 'v1.0.0', 'v9.1.0']);
    const forged = createLog({ name: 'sum.example' });
    publish(forged, ['v9.0.0', 'v9.1.0', 'v9.2.0', 'v1.0.0']);
    for (const attack of [fork, forged]) {
      answerWith((path) => attack.answer(path));
      await clock.advance(HOUR);
      const asking = age('v1.0.0', 1);
      for (let at = 0; at < 20; at += 1) await clock.advance(SECOND);
      expect((await asking).kind).toBe('unknown');
    }
    answerWith((path) => log.answer(path));
    publish(log, ['v1.0.0']);
    await clock.advance(HOUR);
    expect(await age('v1.0.0', HOUR)).toEqual({ kind: 'young', from: clock.now() + HOUR });
  });

  it('is looked up in the store alone where a request may not fetch', async () => {
    const { isolate, log } = world();
    const { age, ages, clock, fetch, get, idle, observe, openContext } = isolate();
    await observe();
    publish(log, ['v1.0.0', 'v1.1.0']);
    await clock.advance(HOUR);
    await get('/sumdb/sum.example/lookup/example.com/hello@v1.0.0');
    const from = clock.now() + HOUR;
    await clock.advance(SECOND);
    const calls = fetch.calls.length;
    const offline = ages.openAges({ ...openContext(), mayFetch: false });
    expect(await offline.of(HELLO, version('v1.0.0'), HOUR)).toEqual({ kind: 'young', from });
    expect((await offline.of(HELLO, version('v1.1.0'), HOUR)).kind).toBe('unknown');
    await idle();
    expect(fetch.calls.length).toBe(calls);
    expect((await age('v1.1.0', HOUR)).kind).toBe('young');
  });
});

describe('the ages of a list', () => {
  const all = versionsOf(1_000);

  async function ofThousand(variables: Readonly<Record<string, string>> = {}) {
    const { isolate, log } = world({ variables });
    const first = isolate();
    await first.observe();
    publish(log, all);
    await first.clock.advance(HOUR);
    return { isolate, log, first };
  }

  it('cost 32 look-ups before the answer on the paid plan, of the newest, and the rest behind it', async () => {
    const { first } = await ofThousand();
    const { asked, clock, idle, list, lookups } = first;
    expect(await list(all.slice(0, 100), HOUR)).toEqual({ young: 32, unknown: 68 });
    expect(lookups()).toBeLessThanOrEqual(32 + 6);
    expect(asked().slice(0, 32).toSorted()).toEqual(all.slice(68, 100).toSorted());
    await idle();
    expect(lookups()).toBe(100);
    expect(await list(all.slice(0, 100), HOUR)).toEqual({ young: 100 });
    await clock.advance(HOUR);
    expect(await list(all.slice(0, 100), HOUR)).toEqual({ old: 100 });
    expect(lookups()).toBe(100);
  });

  it('cost 4 look-ups before the answer on the free plan, and few behind it', async () => {
    const { first } = await ofThousand({ VERIFY: 'mod' });
    const { list, lookups, idle } = first;
    expect(await list(all, HOUR)).toEqual({ young: 4, unknown: 996 });
    expect(lookups()).toBeLessThanOrEqual(4 + 1);
    await idle();
    expect(lookups()).toBeLessThan(45);
  });

  it('stay within the 50 external calls of the free plan, also where nothing is known of a large log', async () => {
    const { isolate, log } = world({ variables: { VERIFY: 'mod' }, size: 50_000_000 });
    await isolate().observe();
    publish(log, all.slice(0, 400));
    const { clock, fetch, idle, list } = isolate();
    for (let request = 0; request < 4; request += 1) {
      await clock.advance(HOUR);
      const before = fetch.calls.length;
      await list(all, HOUR);
      await idle();
      expect(fetch.calls.length - before).toBeLessThanOrEqual(50);
    }
  });

  it('are known of forty versions on the free plan when they were asked for some times', async () => {
    const { first } = await ofThousand({ VERIFY: 'mod' });
    const forty = all.slice(0, 40);
    let requests = 0;
    for (; requests < 12; requests += 1) {
      const { unknown = 0 } = await first.list(forty, HOUR);
      await first.idle();
      await first.clock.advance(SECOND);
      if (unknown === 0) break;
    }
    expect(requests).toBeLessThan(8);
  });

  it('are written in one write, and read in one by another isolate', async () => {
    const { first, isolate } = await ofThousand();
    await first.list(all.slice(0, 200), HOUR);
    await first.idle();
    const second = isolate();
    expect(await second.list(all.slice(0, 200), HOUR)).toEqual({ young: 200 });
    expect(second.lookups()).toBe(0);
  });

  it('of many requests at a time are looked up once', async () => {
    const { first } = await ofThousand();
    const some = all.slice(0, 30);
    const lists = await Promise.all(Array.from({ length: 20 }, () => first.list(some, HOUR)));
    expect(lists).toEqual(lists.map(() => ({ young: 30 })));
    await first.idle();
    const calls = first.fetch.calls.filter(({ url }) => url.includes('/lookup/'));
    expect(calls.length).toBeLessThan(30 + 5); // hedges among them
  });

  it('wait three seconds for a slow database, and go on behind the answer', async () => {
    const { first } = await ofThousand();
    const slow = Promise.withResolvers<void>();
    const { ages, clock } = first;
    const context = first.openContext();
    const ask: typeof context.origins.ask = async (origins, question) => {
      await slow.promise;
      return context.origins.ask(origins, question);
    };
    const opened = ages.openAges({ ...context, origins: { ...context.origins, ask } });
    const asking = opened.ofAll(HELLO, all.slice(0, 10), HOUR);
    await clock.advance(3 * SECOND);
    const kinds = [...(await asking).values()].map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['unknown']));
    slow.resolve();
    await first.idle();
    expect(await first.list(all.slice(0, 10), HOUR)).toEqual({ young: 10 });
  });

  it('tell a young backport below old releases, although its .info is ten years old', async () => {
    const { isolate, log } = world();
    publish(log, ['v1.2.8', 'v1.5.0']);
    const { clock, idle, observe, openAges } = isolate();
    await observe();
    publish(log, ['v1.2.9']);
    await clock.advance(HOUR);
    const versions = ['v1.2.8', 'v1.2.9', 'v1.5.0'].map(version);
    const ages = await openAges().ofAll(HELLO, versions, WEEK);
    await idle();
    expect([...ages].map(([name, { kind }]) => [name, kind])).toEqual([
      ['v1.2.8', 'old'],
      ['v1.2.9', 'young'],
      ['v1.5.0', 'old'],
    ]);
  });

  it('that cannot be looked up do not keep the others from being so', async () => {
    const { isolate, log } = world();
    const { ages, clock, idle, observe, openContext } = isolate();
    await observe();
    publish(log, all.slice(0, 4));
    const kinds: (readonly string[])[] = [];
    for (let request = 0; request < 2; request += 1) {
      await clock.advance(HOUR);
      let left = 4;
      const opened = ages.openAges({ ...openContext(), hasSpareCalls: () => left-- > 0 });
      const list = await opened.ofAll(HELLO, all.slice(0, 8), HOUR);
      kinds.push([...list.values()].map(({ kind }) => kind));
      await idle();
    }
    expect(kinds.map((list) => list.join(' '))).toEqual([
      'unknown unknown unknown unknown uncovered uncovered uncovered uncovered',
      'young young young young uncovered uncovered uncovered uncovered',
    ]);
  });

  it('are merged where two isolates write them at the same time', async () => {
    const { first, isolate } = await ofThousand();
    const second = isolate();
    await Promise.all([first.list(all.slice(0, 5), HOUR), second.list(all.slice(3, 8), HOUR)]);
    await first.clock.advance(5 * SECOND);
    await Promise.all([first.idle(), second.idle()]);
    const third = isolate();
    expect(await third.list(all.slice(0, 8), HOUR)).toEqual({ young: 8 });
    expect(third.lookups()).toBe(0);
  });
});

describe('the start', () => {
  const MIN_AGE = '20s';

  it('is observed before the first health check has its answer, and not again', async () => {
    const { isolate, log } = world({ variables: { MIN_AGE } });
    const { age, asked, clock, fetch, get, request, idle } = isolate();
    expect((await request('/healthz')).status).toBe(200);
    publish(log, ['v1.0.0']);
    await idle();
    const calls = fetch.calls.length;
    expect(calls).toBeGreaterThan(0);
    await get('/healthz');
    await get('/robots.txt');
    await get('/');
    expect([fetch.calls.length, asked()]).toEqual([calls, []]);
    await clock.advance(HOUR);
    const from = clock.now() + 20 * SECOND;
    expect(await age('v1.0.0', 20 * SECOND)).toEqual({ kind: 'young', from });
  });

  it('is observed by every isolate, once, beside its first request of any kind', async () => {
    const { isolate } = world({ variables: { MIN_AGE } });
    for (const { fetch, get } of [isolate(), isolate()]) {
      await get('/');
      await get('/');
      expect(fetch.calls.filter(({ url }) => url.endsWith('/latest')).length).toBe(1);
    }
  });

  it('of a deployment without a minimum age asks nobody', async () => {
    const { get, fetch } = world().isolate();
    await get('/healthz');
    await get('/');
    expect(fetch.calls).toEqual([]);
  });

  it('holds no health check for longer than two seconds', async () => {
    const { answerWith, isolate } = world({ variables: { MIN_AGE } });
    answerWith(() => {
      throw new TypeError('refused');
    });
    const { clock, get, request } = isolate();
    const checking = request('/healthz');
    await clock.advance(2 * SECOND);
    expect((await checking).status).toBe(200);
    expect((await get('/healthz')).status).toBe(200);
  });
});
