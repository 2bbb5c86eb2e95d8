import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { fakeFetch, never, originOf } from '../../../test/fakes/effects/fetch.ts';
import { bytes, modulePath, text, version } from '../../../test/fakes/effects/values.ts';
import {
  afterRetry,
  type ContextOptions,
  fakeContext,
  memoryTiers,
} from '../../../test/fakes/mirror/context.ts';
import { bytesOf } from '../../bytes/streams.ts';
import { failed, success } from '../../effects/result.ts';
import { type FailureReason, wrongContent } from '../../origins/failure.ts';
import { listKey, versionKey } from '../../store/key.ts';
import { askForFile } from '../ask-for-file.ts';
import type { RequestContext } from '../context.ts';
import type { Verdict } from '../expectation.ts';
import type { Outcome, Source } from '../outcome.ts';
import { serveSmall } from './serve-small.ts';
import type { Fetched, FetchedFile, SmallFile } from './small-file.ts';

const hello = modulePath('example.com/hello');
const key = versionKey(hello, version('v1.0.0'), 'mod');
const origins = [originOf('a'), originOf('b')];
const effort = { attempts: 1, hedged: false, breakers: {} };

type Plan = Omit<SmallFile, 'fetch'>;

const mod: Plan = {
  subject: 'example.com/hello@v1.0.0.mod',
  key,
  contentType: 'text/plain',
  cache: 'immutable',
  inWorldTier: true,
};
const list: Plan = {
  ...mod,
  subject: 'example.com/hello/@v/list',
  key: listKey(hello),
  cache: 'mutable',
  inWorldTier: false,
};

/** A file that the origins are asked for, has at most 100 bytes and is no page. */
function fileOf(plan: Plan, context: RequestContext): SmallFile {
  return { ...plan, fetch: () => fetchFile(plan, context) };
}

async function fetchFile({ key, subject }: Plan, context: RequestContext): Promise<Fetched> {
  const answer = await askForFile(
    { key, subject, origins },
    {
      path: '/file',
      async accept(body) {
        const received = await body.all(100);
        if (text(received).startsWith('<')) return failed(wrongContent('an HTML page'));
        return success(received);
      },
    },
    context,
  );
  if (answer.kind !== 'accepted') return answer;
  const source = { from: 'origin', origin: answer.origin, effort: answer.effort } as const;
  return { kind: 'found', bytes: answer.value, source };
}

/** A file of the origin `a` alone. */
function fileOfA(context: RequestContext, plan: Plan): SmallFile {
  const ask: RequestContext['origins']['ask'] = (_, question) =>
    context.origins.ask([originOf('a')], question);
  return fileOf(plan, { ...context, origins: { ...context.origins, ask } });
}

function setup(replies: Parameters<typeof fakeFetch>[0] = {}, options: ContextOptions = {}) {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const fetch = fakeFetch(replies);
  const context = fakeContext({ clock, tiers, fetch, ...options });
  const serve = (plan = mod, change: Partial<RequestContext> = {}) =>
    serveSmall(fileOf(plan, context), { ...context, ...change });
  return { clock, tiers, fetch, context, serve };
}

const derive = async () => ({ bytes: bytes('cut'), tier: 'kv' });
const composeOffline = async () => bytes('v0.9.0\n');

async function shown(outcome: Outcome): Promise<string> {
  if (outcome.kind === 'found') {
    return `${text(await bytesOf(outcome.file.body))} from ${placeOf(outcome.source)}`;
  }
  return `${'status' in outcome ? outcome.status : ''} ${outcome.text}`;
}

function placeOf(source: Source): string {
  if (source.from === 'local') return source.from;
  if (source.from === 'origin') return source.origin ?? 'no origin';
  return source.isStale ? `${source.tier} stale` : source.tier;
}

const ok = (body: string) => () => new Response(body);
const down = () => {
  throw new TypeError('refused');
};
const no = () => new Response('not found: no such version', { status: 404 });

describe('a file', () => {
  it('comes from an origin once, and then from the store', async () => {
    const { serve, context, fetch, tiers } = setup({ 'https://a': ok('module m') });
    expect(await shown(await serve())).toBe('module m from a');
    await context.idle();
    const { near, world, durable } = tiers;
    expect([durable.files.has(key), world.files.has(key), near.files.has(key)]).toEqual([
      true,
      true,
      true,
    ]);
    expect(await shown(await serve())).toBe('module m from edge');
    expect(fetch.calls.length).toBe(1);
  });

  it('that is wrong at the first origin comes from the second one', async () => {
    const { serve } = setup({ 'https://a': ok('<html>'), 'https://b': ok('module m') });
    expect(await shown(await serve())).toBe('module m from b');
  });

  it('over its limit is no answer', async () => {
    const { serve, clock } = setup({ 'https://a': ok('x'.repeat(101)), 'https://b': down });
    expect(await shown(await afterRetry(clock, serve()))).toBe(
      '502 cannot get example.com/hello@v1.0.0.mod: a: body of more than 100 bytes; b: connection failed',
    );
  });

  it('of twenty requests at a time is fetched once', async () => {
    const { serve, fetch } = setup({ 'https://a': ok('module m') });
    const all = await Promise.all(Array.from({ length: 20 }, () => serve()));
    expect(new Set(await Promise.all(all.map(shown)))).toEqual(new Set(['module m from a']));
    expect(fetch.calls.length).toBe(1);
  });

  it('whose leader makes no progress is fetched by the requests that wait, while there is time for it', async () => {
    const { context, clock, fetch } = setup({ 'https://a': ok('module m') });
    context.shared.flights.lead(key); // by a request that the platform has ended
    const start = clock.now();
    const timeLeftMs = () => start + 20_000 - clock.now();
    const waiting = serveSmall(fileOf(mod, context), { ...context, timeLeftMs });
    await clock.advance(17_999);
    expect(fetch.calls.length).toBe(0);
    await clock.advance(1);
    expect(fetch.calls.length).toBe(1);
    expect(await shown(await waiting)).toBe('module m from a');
  });

  it('that cannot be stored is served', async () => {
    const { serve, context } = setup({ 'https://a': ok('module m') }, { tiers: {} });
    expect(await shown(await serve())).toBe('module m from a');
    await context.idle();
  });

  it('that can be derived is not fetched', async () => {
    const { serve, fetch } = setup();
    expect(await shown(await serve({ ...mod, derive }))).toBe('cut from kv');
    expect(fetch.calls.length).toBe(0);
  });
});

describe('a request that waits for one whose client leaves', () => {
  it.each([
    ['where nothing else is stored', mod],
    ['and gets nothing composed of the store', { ...list, composeOffline }],
  ])('asks by itself, %s', async (_, plan) => {
    const clock = fakeClock();
    const fetch = fakeFetch({ 'https://a': [never, ok('module m\n')] });
    const client = new AbortController();
    const leaving = fakeContext({ clock, fetch, signal: client.signal });
    const staying = { ...fakeContext({ clock, fetch }), shared: leaving.shared };
    const first = serveSmall(fileOfA(leaving, plan), leaving);
    await clock.advance(50);
    const second = serveSmall(fileOfA(staying, plan), staying);
    await clock.advance(50);
    expect(fetch.calls.length).toBe(1);
    client.abort();
    await clock.advance(1_000);
    expect(await first).toMatchObject({ kind: 'unavailable' });
    expect(await shown(await second)).toBe('module m\n from a');
    expect(fetch.calls.length).toBe(2);
  });
});

describe('a 404', () => {
  it('of a list is remembered for an outage, and that of a version never', async () => {
    const { serve, context, clock, fetch } = setup({
      'https://a': [no, down],
      'https://b': [no, down],
    });
    await serve(list);
    await context.idle();
    await clock.advance(40_000);
    const again = await afterRetry(clock, serve(list));
    expect(fetch.calls.length).toBe(5); // the origins are asked again all the same, the best one twice
    expect(again).toMatchObject({ kind: 'missing', status: 404, cache: 'failure' });
    expect(again.source).toMatchObject({ from: 'store', tier: 'edge', isStale: true });
    expect((await afterRetry(clock, serve())).kind).toBe('unavailable');
  });

  it('of a version is not repeated in an outage: it may have been published since', async () => {
    const { serve, context, clock } = setup({
      'https://a': [no, down],
      'https://b': [no, down],
    });
    expect((await serve()).kind).toBe('missing');
    await context.idle();
    await clock.advance(40_000);
    expect((await afterRetry(clock, serve())).kind).toBe('unavailable');
  });

  it('of every origin is kept for a while, and then asked for again', async () => {
    const { serve, context, clock, fetch } = setup({ 'https://a': no, 'https://b': no });
    const answer = '404 not found: example.com/hello@v1.0.0.mod: a says: no such version';
    const first = await serve();
    expect([await shown(first), first.kind === 'missing' && first.cache]).toEqual([
      answer,
      'negative',
    ]);
    await context.idle();
    expect(await shown(await serve())).toBe(answer);
    expect(fetch.calls.length).toBe(2);
    await clock.advance(30_000);
    await serve();
    expect(fetch.calls.length).toBe(4);
  });

  it('of one origin while the other is down is passed on and not kept', async () => {
    const { serve, context, fetch } = setup({ 'https://a': no, 'https://b': down });
    expect(await serve()).toMatchObject({ kind: 'missing', status: 404, cache: 'failure' });
    await context.idle();
    await serve();
    expect(fetch.calls.length).toBe(4);
  });

  it('of a file that can be composed of the store does not replace it', async () => {
    const { serve } = setup({ 'https://a': no, 'https://b': no });
    expect(await serve({ ...list, composeOffline })).toMatchObject({
      kind: 'found',
      cache: 'stale',
    });
  });

  it('of a list has the bucket listed once in ten minutes', async () => {
    const { serve, context, clock } = setup({ 'https://a': no, 'https://b': no });
    const listed: number[] = [];
    const started = clock.now();
    const composeNothing = async () => void listed.push(clock.now() - started);
    const ask = async () => {
      await serve({ ...list, composeOffline: composeNothing });
      await context.idle();
    };
    await ask();
    await clock.advance(599_000);
    await ask();
    expect(listed).toEqual([0]);
    await clock.advance(31_000); // the 404 itself is kept for 30 s
    await ask();
    expect(listed).toEqual([0, 630_000]);
  });

  it.each<FailureReason>([
    {
      kind: 'mismatch',
      hashes: { database: 'sum.example', expected: 'h1:right', found: 'h1:wrong' },
    },
    { kind: 'unchecked', text: 'no answer of the database' },
  ])('is not remembered of a file that exists and fails its check: $kind', async (reason) => {
    const { context, clock } = setup();
    context.store.keepMissing(key, { status: 404, text: 'no such version', origin: 'a' }, 30);
    await context.idle();
    await clock.advance(60_000);
    const fetch = async () =>
      ({ kind: 'failed', failures: [{ origin: 'b', reason }], effort }) as const;
    const outcome = await serveSmall({ ...mod, fetch }, context);
    expect(outcome).toMatchObject({ kind: 'unavailable', status: 502 });
  });
});

describe('an outage', () => {
  it('of all origins is never a 404', async () => {
    const { serve, clock } = setup({ 'https://a': down, 'https://b': down });
    expect(await afterRetry(clock, serve())).toMatchObject({ kind: 'unavailable', status: 502 });
  });

  it('leaves the last good copy of a list, marked as stale', async () => {
    const { serve, context, clock } = setup({
      'https://a': [ok('v1.0.0\n'), down],
      'https://b': down,
    });
    await serve(list);
    await context.idle();
    await clock.advance(60_000);
    const outcome = await afterRetry(clock, serve(list));
    expect(outcome).toMatchObject({ cache: 'stale', source: { effort: { attempts: 3 } } });
    expect(await shown(outcome)).toBe('v1.0.0\n from r2 stale');
  });

  it('is answered with what can be composed of the store, where there is no last good copy', async () => {
    const { serve, clock } = setup({ 'https://a': down, 'https://b': down });
    const outcome = await afterRetry(clock, serve({ ...list, composeOffline }));
    expect(await shown(outcome)).toBe('v0.9.0\n from r2 stale');
  });

  it('composes no immutable file', async () => {
    const { serve, clock } = setup({ 'https://a': down, 'https://b': down });
    const outcome = await afterRetry(clock, serve({ ...mod, composeOffline }));
    expect(outcome.kind).toBe('unavailable');
  });
});

describe('without fetching', () => {
  it('a stored file is served, and any other is a 404 that is not kept', async () => {
    const { serve, tiers, fetch } = setup();
    const serveStored = (plan = mod) => serve(plan, { mayFetch: false });
    expect(await serveStored()).toMatchObject({ kind: 'missing', status: 404, cache: 'failure' });
    await tiers.durable.write(key, { bytes: bytes('module m'), etag: '"m"' }, 'create');
    expect(await shown(await serveStored())).toBe('module m from r2');
    await tiers.durable.write(list.key, { bytes: bytes('v1.0.0\n'), etag: '"l"' }, 'replace');
    expect(await shown(await serveStored(list))).toBe('v1.0.0\n from r2');
    expect(fetch.calls.length).toBe(0);
  });
});

/** A file whose fetch has this result. */
function fetched(rest: Partial<FetchedFile>, content = 'module m'): SmallFile {
  const source: Source = { from: 'origin', origin: 'a', effort };
  return {
    ...mod,
    fetch: async () => ({ kind: 'found', bytes: bytes(content), source, ...rest }),
  };
}

/** A file whose stored copy was never checked, served with this verdict on it. */
async function serveStored(verdict: Verdict) {
  const { tiers, context } = setup();
  await tiers.durable.write(key, { bytes: bytes('module old'), etag: '"old"' }, 'create');
  const verified: string[] = [];
  const verify = async (stored: Uint8Array) => {
    verified.push(text(stored));
    return verdict;
  };
  const file = { ...fetched({}, 'module new'), verify };
  const serve = () => serveSmall(file, context);
  const outcome = await serve();
  await context.idle();
  return { outcome, serve, verified, tiers, context };
}

describe('a stored file that was never checked', () => {
  const wrong = {
    kind: 'wrong',
    hashes: { database: 'sum.example', expected: 'h1:right', found: 'h1:wrong' },
  } as const;

  it('and is right is served for ever, and marked in every tier', async () => {
    const { outcome, serve, verified, tiers } = await serveStored({
      kind: 'checked',
      checked: 'h1:right',
    });
    expect(outcome).toMatchObject({
      kind: 'found',
      cache: 'immutable',
      file: { checked: 'h1:right' },
    });
    const marked = { checked: 'h1:right', etag: '"old"' };
    expect(await tiers.durable.read(key)).toMatchObject(marked);
    for (const tier of [tiers.world, tiers.near]) {
      expect(await tier.read(key)).toMatchObject({ file: marked });
    }
    await serve();
    expect(verified).toEqual(['module old']);
  });

  it('and that no log covers is served for a day, and checked again after it', async () => {
    const { outcome, serve, verified, tiers } = await serveStored({
      kind: 'checked',
      checked: 'uncovered',
    });
    expect(outcome).toMatchObject({ kind: 'found', cache: 'uncovered' });
    expect(await tiers.durable.head(key)).toMatchObject({ size: 10, etag: '"old"' });
    expect(tiers.world.files.size).toBe(0);
    expect(await serve()).toMatchObject({
      cache: 'uncovered',
      source: { from: 'store', tier: 'edge' },
    });
    expect(verified.length).toBe(1);
    tiers.near.files.clear();
    await serve();
    expect(verified.length).toBe(2);
  });

  it('is served as a stale copy while no database answers, and copied nowhere', async () => {
    const { outcome, tiers } = await serveStored({ kind: 'unknown', failures: [] });
    expect(outcome).toMatchObject({ kind: 'found', cache: 'stale' });
    expect([tiers.world.files.size, tiers.near.files.size]).toEqual([0, 0]);
  });

  it('and is wrong is removed, reported, and fetched anew', async () => {
    const { outcome, tiers, context } = await serveStored(wrong);
    expect(outcome).toMatchObject({ kind: 'found', source: { from: 'origin', origin: 'a' } });
    expect(text(tiers.durable.files.get(key)?.bytes ?? new Uint8Array())).toBe('module new');
    expect(context.alarms).toEqual([
      {
        event: 'security',
        kind: 'stored-mismatch',
        subject: 'example.com/hello@v1.0.0.mod',
        hashes: wrong.hashes,
      },
    ]);
  });

  it('and of which nothing shows that it is right is replaced by the file that is fetched', async () => {
    const { outcome, tiers, context } = await serveStored({ kind: 'unproven' });
    expect(outcome).toMatchObject({ kind: 'found', source: { from: 'origin', origin: 'a' } });
    expect(text(tiers.durable.files.get(key)?.bytes ?? new Uint8Array())).toBe('module new');
    expect(context.alarms).toEqual([]);
  });

  it('and of which nothing shows that it is right is served as a stale copy when the fetch fails', async () => {
    const { tiers, context } = setup();
    await tiers.durable.write(key, { bytes: bytes('module old'), etag: '"old"' }, 'create');
    const outcome = await serveSmall(
      {
        ...mod,
        verify: async () => ({ kind: 'unproven' }),
        fetch: async () => ({ kind: 'failed', failures: [], effort }),
      },
      context,
    );
    expect(outcome).toMatchObject({ cache: 'stale', source: { tier: 'r2', isStale: true } });
    expect(await shown(outcome)).toBe('module old from r2 stale');
  });
});

describe('a fetched file', () => {
  it.each([
    [
      { checked: 'h1:right' },
      'immutable',
      { durable: 'h1:right', world: 'h1:right', near: 'h1:right' },
    ],
    [
      { checked: 'uncovered' },
      'uncovered',
      { durable: 'unmarked', world: 'absent', near: 'uncovered' },
    ],
    [{ keep: 'near' }, 'immutable', { durable: 'absent', world: 'absent', near: 'unmarked' }],
    [{}, 'immutable', { durable: 'unmarked', world: 'unmarked', near: 'unmarked' }],
  ] as const)('with %j is %s, and kept as %j', async (result, cache, kept) => {
    const { context, tiers } = setup();
    const outcome = await serveSmall(fetched(result), context);
    await context.idle();
    expect(outcome).toMatchObject({ kind: 'found', cache });
    const marks = await Promise.all(
      (['durable', 'world', 'near'] as const).map(async (tier) => {
        const found = await tiers[tier].read(key);
        if (!found) return [tier, 'absent'];
        const file = 'file' in found ? found.file : found;
        return [tier, 'checked' in file ? (file.checked ?? 'unmarked') : 'unmarked'];
      }),
    );
    expect(Object.fromEntries(marks)).toEqual(kept);
  });
});
