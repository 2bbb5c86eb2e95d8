import { describe, expect, it } from 'vitest';
import { type CarrierOptions, fakeCarrier, memoryTiers } from '../../test/fakes/effects/carrier.ts';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeFetch, originOf } from '../../test/fakes/effects/fetch.ts';
import { bytes, modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { BadAnswer } from '../origins/origin.ts';
import { listKey, versionKey } from '../store/key.ts';
import { bytesOf } from '../store/guard.ts';
import type { Carrier } from './carrier.ts';
import type { Outcome } from './outcome.ts';
import { serveSmallFile, type SmallFile } from './small-file.ts';

const hello = modulePath('example.com/hello');
const key = versionKey(hello, version('v1.0.0'), 'mod');
const origins = [originOf('a'), originOf('b')];

type Plan = Omit<SmallFile, 'ask'>;

const mod: Plan = {
  subject: 'example.com/hello@v1.0.0.mod',
  key,
  contentType: 'text/plain',
  cache: 'immutable',
  kv: true,
};
const list: Plan = {
  ...mod,
  subject: 'example.com/hello/@v/list',
  key: listKey(hello),
  cache: 'mutable',
  kv: false,
};

/** A file that is asked of the origins, may have 100 bytes and is no page. */
function fileOf(plan: Plan, carrier: Carrier): SmallFile {
  const ask = () =>
    carrier.ask(origins, {
      path: '/file',
      async accept(body) {
        const said = await body.all(100);
        if (text(said).startsWith('<')) throw new BadAnswer('an HTML page');
        return { bytes: said };
      },
    });
  return { ...plan, ask };
}

function setup(replies: Parameters<typeof fakeFetch>[0], options: CarrierOptions = {}) {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const fetch = fakeFetch(replies);
  const carrier = fakeCarrier({ clock, tiers, fetch, ...options });
  const serve = (plan = mod, cachedOnly = false) =>
    serveSmallFile(fileOf(plan, carrier), { carrier, cachedOnly });
  return { clock, tiers, fetch, carrier, serve };
}

async function shown(outcome: Outcome): Promise<string> {
  const { source } = outcome;
  const stale = source.stale ? ' stale' : '';
  if (outcome.kind === 'found') {
    return `${text(await bytesOf(outcome.file.body))} from ${source.origin ?? source.tier}${stale}`;
  }
  return `${'status' in outcome ? outcome.status : ''} ${outcome.text}`;
}

const ok = (said: string) => () => new Response(said);
const down = () => {
  throw new TypeError('refused');
};
const no = () => new Response('not found: no such version', { status: 404 });

describe('a file', () => {
  it('comes from an origin once, and then from the store', async () => {
    const { serve, carrier, fetch, tiers } = setup({ 'https://a': ok('module m') });
    expect(await shown(await serve())).toBe('module m from a');
    await carrier.idle();
    expect([tiers.r2.files.has(key), tiers.kv.files.has(key), tiers.edge.files.has(key)]).toEqual([
      true,
      true,
      true,
    ]);
    expect(await shown(await serve())).toBe('module m from edge');
    expect(fetch.calls.length).toBe(1);
  });

  it('that the first origin has wrong comes from the second one', async () => {
    const { serve } = setup({ 'https://a': ok('<html>'), 'https://b': ok('module m') });
    expect(await shown(await serve())).toBe('module m from b');
  });

  it('over its limit is no answer', async () => {
    const { serve } = setup({ 'https://a': ok('x'.repeat(101)), 'https://b': down });
    expect(await shown(await serve())).toBe(
      '502 cannot get example.com/hello@v1.0.0.mod: a: body of more than 100 bytes; b: connection failed',
    );
  });

  it('of twenty requests at a time is fetched once', async () => {
    const { serve, fetch } = setup({ 'https://a': ok('module m') });
    const all = await Promise.all(Array.from({ length: 20 }, () => serve()));
    expect(new Set(await Promise.all(all.map(shown)))).toEqual(new Set(['module m from a']));
    expect(fetch.calls.length).toBe(1);
  });

  it('whose leader is silent for too long is fetched by the others, while there is time for it', async () => {
    const { carrier, clock, fetch } = setup({ 'https://a': ok('module m') });
    carrier.flights.lead(key); // by a request that died
    const start = clock.now();
    const timeLeft = () => start + 20_000 - clock.now();
    const hurried = { ...carrier, timeLeft };
    const waiting = serveSmallFile(fileOf(mod, carrier), { carrier: hurried, cachedOnly: false });
    await clock.advance(17_999);
    expect(fetch.calls.length).toBe(0);
    await clock.advance(1);
    expect(fetch.calls.length).toBe(1);
    expect(await shown(await waiting)).toBe('module m from a');
  });

  it('that cannot be stored is served', async () => {
    const { serve, carrier } = setup({ 'https://a': ok('module m') }, { tiers: {} });
    expect(await shown(await serve())).toBe('module m from a');
    await carrier.idle();
  });
});

describe('a 404', () => {
  it('is remembered for an outage, and what nobody ever said no to is none', async () => {
    const { serve, carrier, clock, fetch } = setup({
      'https://a': [no, down],
      'https://b': [no, down],
    });
    await serve();
    await carrier.idle();
    await clock.advance(40_000);
    const again = await serve();
    expect(fetch.calls.length).toBe(5); // the origins are asked again all the same, the best one twice
    expect(again).toMatchObject({ kind: 'missing', status: 404, cache: 'failure' });
    expect(again.source).toMatchObject({ tier: 'edge', stale: true });
    expect((await serve(list)).kind).toBe('unavailable');
  });

  it('of every origin is kept for a while, and then asked for again', async () => {
    const { serve, carrier, clock, fetch } = setup({ 'https://a': no, 'https://b': no });
    const said = '404 not found: example.com/hello@v1.0.0.mod: a says: no such version';
    const first = await serve();
    expect([await shown(first), first.kind === 'missing' && first.cache]).toEqual([
      said,
      'negative',
    ]);
    await carrier.idle();
    expect(await shown(await serve())).toBe(said);
    expect(fetch.calls.length).toBe(2);
    await clock.advance(30_000);
    await serve();
    expect(fetch.calls.length).toBe(4);
  });

  it('of one while the other is down is passed on and not kept', async () => {
    const { serve, carrier, fetch } = setup({ 'https://a': no, 'https://b': down });
    expect(await serve()).toMatchObject({ kind: 'missing', status: 404, cache: 'failure' });
    await carrier.idle();
    await serve();
    expect(fetch.calls.length).toBe(4);
  });
});

describe('an outage', () => {
  it('of all origins is never a 404', async () => {
    const { serve } = setup({ 'https://a': down, 'https://b': down });
    expect(await serve()).toMatchObject({ kind: 'unavailable', status: 502 });
  });

  it('lets the last good copy of a list live on, marked as stale', async () => {
    const { serve, carrier, clock } = setup({
      'https://a': [ok('v1.0.0\n'), down],
      'https://b': down,
    });
    await serve(list);
    await carrier.idle();
    await clock.advance(60_000);
    expect(await shown(await serve(list))).toBe('v1.0.0\n from r2 stale');
  });

  it('makes up what can be made up, where there is no last good copy', async () => {
    const { serve } = setup({ 'https://a': down, 'https://b': down });
    expect(await shown(await serve({ ...list, makeUp: async () => bytes('v0.9.0\n') }))).toBe(
      'v0.9.0\n from r2 stale',
    );
  });

  it('does not bring an immutable file back from anywhere', async () => {
    const { serve } = setup({ 'https://a': down, 'https://b': down });
    expect((await serve({ ...mod, makeUp: async () => bytes('never') })).kind).toBe('unavailable');
  });
});

describe('without fetching', () => {
  it('what is stored is served, and the rest is a 404 that is not kept', async () => {
    const { serve, tiers, fetch } = setup({});
    expect(await serve(mod, true)).toMatchObject({
      kind: 'missing',
      status: 404,
      cache: 'failure',
    });
    await tiers.r2.write(key, { bytes: bytes('module m'), etag: '"m"' }, 'create');
    expect(await shown(await serve(mod, true))).toBe('module m from r2');
    await tiers.r2.write(list.key, { bytes: bytes('v1.0.0\n'), etag: '"l"' }, 'replace');
    expect(await shown(await serve(list, true))).toBe('v1.0.0\n from r2');
    expect(fetch.calls.length).toBe(0);
  });
});

it('a file that can be derived is not fetched', async () => {
  const { serve, fetch } = setup({});
  expect(
    await shown(await serve({ ...mod, derive: async () => ({ bytes: bytes('cut'), tier: 'kv' }) })),
  ).toBe('cut from kv');
  expect(fetch.calls.length).toBe(0);
});
