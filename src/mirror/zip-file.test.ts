import { describe, expect, it } from 'vitest';
import { fakeCarrier, memoryTiers } from '../../test/fakes/effects/carrier.ts';
import { cut, pattern, scriptedStream } from '../../test/fakes/effects/byte-source.ts';
import { fakeClock, settled } from '../../test/fakes/effects/clock.ts';
import { fakeFetch, originOf } from '../../test/fakes/effects/fetch.ts';
import { modulePath, version } from '../../test/fakes/effects/values.ts';
import { writeZip } from '../../test/fakes/zip/zip-writer.ts';
import { BadAnswer } from '../origins/origin.ts';
import { Budget } from './budget.ts';
import { versionKey } from '../store/key.ts';
import { bytesOf } from '../store/guard.ts';
import type { Outcome } from './outcome.ts';
import { serveZip, type ZipFile } from './zip-file.ts';

const MIB = 1024 * 1024;
const key = versionKey(modulePath('example.com/hello'), version('v1.0.0'), 'zip');
const file: ZipFile = {
  subject: 'example.com/hello@v1.0.0.zip',
  key,
  mark: versionKey(modulePath('example.com/hello'), version('v1.0.0'), 'ziphash'),
  path: '/example.com/hello/@v/v1.0.0.zip',
  prefix: 'example.com/hello@v1.0.0/',
};
const origins = [originOf('a'), originOf('b')];

const small = zipOf('example.com/hello@v1.0.0/go.mod', new Uint8Array(10));
const large = zipOf('example.com/hello@v1.0.0/noise', pattern(10 * MIB));

/** A zip whose one file does not shrink. */
function zipOf(name: string, content: Uint8Array): Uint8Array {
  return writeZip([{ name, content }]);
}

interface Sent {
  readonly declares?: boolean;
  readonly length?: number;
}

const sends =
  (zip: Uint8Array, { declares = true, length = zip.length }: Sent = {}) =>
  () => {
    const stream = scriptedStream(cut(zip, 200_000));
    return new Response(stream, { headers: declares ? { 'Content-Length': String(length) } : {} });
  };
const no = () => new Response('', { status: 404 });
const down = () => {
  throw new TypeError('refused');
};

function setup(replies: Parameters<typeof fakeFetch>[0], store = true) {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const fetch = fakeFetch(replies);
  const carrier = fakeCarrier({ clock, fetch, tiers: store ? tiers : {} });
  const serve = (cachedOnly = false) => serveZip(file, origins, { carrier, cachedOnly });
  return { tiers, fetch, carrier, serve, clock };
}

const stored = (tiers: ReturnType<typeof memoryTiers>) =>
  tiers.r2.files.get(key)?.bytes ?? new Uint8Array();
const body = async (outcome: Outcome) =>
  outcome.kind === 'found' ? bytesOf(outcome.file.body) : new Uint8Array();

it.each([
  ['that nobody else waits for is given up', false],
  ['that another request waits for goes on', true],
])('a slow fill %s when its client leaves', async (_, isWanted) => {
  const { carrier, clock, serve, tiers } = setup({
    'https://a': () => {
      const stream = scriptedStream(cut(large, 200_000), { pause: () => clock.sleep(2_000) });
      return new Response(stream, { headers: { 'Content-Length': String(large.length) } });
    },
  });
  const serving = serve();
  await clock.advance(5_000);
  const outcome = await serving;
  if (isWanted) void carrier.flights.join(key);
  if (outcome.kind !== 'found' || outcome.file.body instanceof Uint8Array)
    throw new Error('not streamed');
  const reader = outcome.file.body.getReader();
  const reading = reader.read();
  await clock.advance(10_000);
  await reading;
  await reader.cancel();
  await clock.advance(200_000);
  await carrier.idle();
  expect(tiers.r2.files.has(key)).toBe(isWanted);
});

describe('a zip', () => {
  it.each([
    ['small', small, true, true],
    ['small, of unknown length', small, false, true],
    ['large', large, true, true],
    ['large, of unknown length', large, false, true],
    ['small, without a store', small, true, false],
    ['large, without a store', large, true, false],
  ])('%s reaches the client and the store whole', async (_, zip, declares, store) => {
    const { serve, tiers, carrier } = setup({ 'https://a': sends(zip, { declares }) }, store);
    const outcome = await serve();
    expect(outcome).toMatchObject({
      kind: 'found',
      cache: 'immutable',
      contentType: 'application/zip',
    });
    expect(Buffer.compare(await body(outcome), zip)).toBe(0);
    await carrier.idle();
    if (!store) return;
    expect(Buffer.compare(stored(tiers), zip)).toBe(0);
    const again = await serve();
    expect(again.source.tier).toMatch(/edge|r2/);
    expect(tiers.r2.files.get(key)?.etag).toBe(outcome.kind === 'found' && outcome.file.etag);
  });

  it.each([
    ['is no zip', pattern(100), 'a body that is no zip'],
    ['is cut off', small.subarray(0, -1), /a: a broken zip/],
    [
      'is of another version',
      zipOf('example.com/hello@v1.0.1/go.mod', new Uint8Array(1)),
      /outside of example/,
    ],
    ['is empty', new Uint8Array(), 'a body that is no zip'],
  ])(
    'that %s comes from the next origin, and where there is none it is a 502',
    async (_, bad, told) => {
      const good = setup({ 'https://a': sends(bad), 'https://b': sends(small) });
      expect(Buffer.compare(await body(await good.serve()), small)).toBe(0);
      const alone = setup({ 'https://a': sends(bad), 'https://b': down });
      const outcome = await alone.serve();
      expect(outcome).toMatchObject({ kind: 'unavailable', status: 502 });
      expect(outcome.kind === 'unavailable' && outcome.text).toMatch(told);
      await alone.carrier.idle();
      expect(alone.tiers.r2.files.size).toBe(0);
    },
  );

  it('over the limit of Go is not read', async () => {
    const { serve } = setup({
      'https://a': sends(small, { length: 500 * MIB + 1 }),
      'https://b': down,
    });
    expect(await serve()).toMatchObject({
      text: expect.stringContaining("a zip of 524288001 bytes, over Go's limit"),
    });
  });

  it.each([
    ['is cut off', large.subarray(0, -1), undefined],
    ['is shorter than declared', large.subarray(0, 9 * MIB), large.length],
    [
      'holds files of another version',
      zipOf('example.com/other@v1.0.0/x', pattern(10 * MIB)),
      undefined,
    ],
  ])('that is large and %s breaks off, and is not stored', async (_, bad, length) => {
    const { serve, carrier, tiers } = setup({ 'https://a': sends(bad, length ? { length } : {}) });
    const outcome = await serve();
    await expect(body(outcome)).rejects.toBeInstanceOf(BadAnswer);
    await carrier.idle();
    expect(tiers.r2.files.size).toBe(0);
  });

  it('that is large and comes fast goes into the store also when its client leaves', async () => {
    const { serve, carrier, tiers } = setup({ 'https://a': sends(large) });
    const outcome = await serve();
    if (outcome.kind !== 'found' || outcome.file.body instanceof Uint8Array)
      throw new Error('not streamed');
    const reader = outcome.file.body.getReader();
    await reader.read();
    await reader.cancel();
    await carrier.idle();
    expect(Buffer.compare(stored(tiers), large)).toBe(0);
  });
});

describe('many requests at a time', () => {
  it.each([
    ['small', small],
    ['large', large],
  ])('for a %s zip are one request to the origin', async (_, zip) => {
    const { serve, fetch } = setup({ 'https://a': sends(zip) });
    const all = await Promise.all(Array.from({ length: 5 }, async () => body(await serve())));
    expect(all.map((each) => Buffer.compare(each, zip))).toEqual([0, 0, 0, 0, 0]);
    expect(fetch.calls.length).toBe(1);
  });

  it('go on alone where there is no store', async () => {
    const { serve } = setup({ 'https://a': sends(large) }, false);
    const all = await Promise.all([1, 2].map(async () => body(await serve())));
    expect(all.map((each) => Buffer.compare(each, large))).toEqual([0, 0]);
  });

  it('do not wait for the end of one that nobody stores', async () => {
    let pieces = 0;
    const pause = async () =>
      ++pieces % 10 === 0 ? new Promise<void>(() => undefined) : undefined;
    const stalls = () =>
      new Response(scriptedStream(cut(large, 200_000), { pause }), {
        headers: { 'Content-Length': String(large.length) },
      });
    const { serve, fetch } = setup({ 'https://a': stalls }, false);
    await serve();
    expect((await serve()).kind).toBe('found'); // no time has passed
    expect(fetch.calls.length).toBe(2);
  });

  it('hold no more than the budget, and stream what is beyond it', async () => {
    const zip = zipOf('example.com/hello@v1.0.0/noise', pattern(3 * MIB));
    const { carrier, fetch } = setup({ 'https://a': sends(zip) });
    const budget = new Budget(7 * MIB, carrier.clock);
    const outcomes = await Promise.all(
      [1, 2, 3, 4].map((number) =>
        serveZip(
          {
            ...file,
            key: versionKey(modulePath('example.com/hello'), version(`v1.0.${number}`), 'zip'),
          },
          origins,
          {
            carrier: { ...carrier, budgets: { ...carrier.budgets, held: budget } },
            cachedOnly: false,
          },
        ),
      ),
    );
    const held = outcomes.filter(
      (outcome) => outcome.kind === 'found' && outcome.file.body instanceof Uint8Array,
    );
    expect(held.length).toBe(2);
    for (const outcome of outcomes) expect(Buffer.compare(await body(outcome), zip)).toBe(0);
    await carrier.idle();
    expect(fetch.calls.length).toBe(4);
    expect([typeof budget.take(7 * MIB), budget.take(1)]).toEqual(['function', undefined]); // all of it was given back
  });

  it('do not wait longer than they may for one that stands still', async () => {
    const { serve, carrier, clock, tiers } = setup({ 'https://a': sends(small) });
    carrier.flights.lead(key);
    const waiting = serve();
    await clock.advance(25_000);
    expect((await waiting).kind).toBe('found');
    await settled();
    expect(tiers.r2.files.size).toBe(0);
  });
});

it('without fetching, a zip that is not stored is a 404 that is not kept', async () => {
  const { serve, fetch } = setup({ 'https://a': sends(small) });
  expect(await serve(true)).toMatchObject({ kind: 'missing', status: 404, cache: 'failure' });
  expect(fetch.calls.length).toBe(0);
});

it('a 404 of every origin is kept for a while', async () => {
  const { serve, carrier, fetch } = setup({ 'https://a': no, 'https://b': no });
  await serve();
  await carrier.idle();
  expect(await serve()).toMatchObject({
    kind: 'missing',
    cache: 'negative',
    source: { tier: 'edge', origin: 'a' },
  });
  expect(fetch.calls.length).toBe(2);
});
