import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { fakeFetch } from '../../../test/fakes/effects/fetch.ts';
import { afterRetry, fakeContext, memoryTiers } from '../../../test/fakes/mirror/context.ts';
import {
  bigBytes,
  bigFile,
  readerOf,
  readOutcome,
  sends,
  STREAMED_BYTES,
} from '../../../test/fakes/mirror/large-file.ts';
import { bytesOf } from '../../bytes/streams.ts';
import { Budget } from '../memory-budget.ts';
import type { Outcome } from '../outcome.ts';
import { serveLarge } from './serve-large.ts';

const MIB = 1024 * 1024;
const file = bigFile();
const { key } = file;

const SIZES = { small: 1000, large: STREAMED_BYTES };
const no = () => new Response('', { status: 404 });
const down = () => {
  throw new TypeError('refused');
};

function setup(replies: Parameters<typeof fakeFetch>[0], hasStore = true) {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const fetch = fakeFetch(replies);
  const context = fakeContext({ clock, fetch, tiers: hasStore ? tiers : {} });
  const serve = (mayFetch = true) => serveLarge(file, { ...context, mayFetch });
  return { tiers, fetch, context, serve, clock };
}

const stored = (tiers: ReturnType<typeof memoryTiers>) =>
  tiers.durable.files.get(key)?.bytes ?? new Uint8Array();
const body = async (outcome: Outcome) =>
  outcome.kind === 'found' ? bytesOf(outcome.file.body) : new Uint8Array();
const select = () => ({ offset: 0, length: 3 });
const isHeld = (outcome: Outcome) =>
  outcome.kind === 'found' && outcome.file.body instanceof Uint8Array;

describe('a large file', () => {
  it.each([
    ['small', 'small', true, true],
    ['small, of unknown length', 'small', false, true],
    ['large', 'large', true, true],
    ['large, of unknown length', 'large', false, true],
    ['small, without a store', 'small', true, false],
    ['large, without a store', 'large', true, false],
  ] as const)(
    '(%s) reaches the client and the store whole',
    async (_, size, declares, hasStore) => {
      const right = bigBytes(SIZES[size]);
      const { serve, tiers, context } = setup(
        { 'https://a': sends(right, { declares }) },
        hasStore,
      );
      const outcome = await serve();
      expect(outcome).toMatchObject({
        kind: 'found',
        cache: 'immutable',
        contentType: 'application/x-big',
        source: { from: 'origin', origin: 'a' },
      });
      expect(await readOutcome(outcome, right)).toBe('right');
      await context.idle();
      if (!hasStore) return;
      expect(Buffer.compare(stored(tiers), right)).toBe(0);
      const again = await serve();
      expect(again.source).toMatchObject({ tier: expect.stringMatching(/edge|r2/) });
      const etag = outcome.kind === 'found' && outcome.file.etag;
      expect(tiers.durable.files.get(key)?.etag).toBe(etag);
    },
  );

  it.each([
    [8 * MIB, 'whole in memory'],
    [8 * MIB + 1, 'as a stream'],
  ])('of %i bytes is sent %s', async (size, how) => {
    const { serve, context } = setup({ 'https://a': sends(bigBytes(size)) });
    const outcome = await serve();
    expect(isHeld(outcome)).toBe(how === 'whole in memory');
    expect(await readOutcome(outcome, bigBytes(size))).toBe('right');
    await context.idle();
  });

  it.each([
    ['is another kind of file', Buffer.from('PK no'), 'a: a body that is no big file'],
    ['is cut off', bigBytes(1000).subarray(0, -1), 'a: a broken big file'],
    ['is empty', new Uint8Array(), 'a: a body that is no big file'],
  ])(
    'that %s comes from the next origin, and where there is none it is a 502',
    async (_, bad, cause) => {
      const good = setup({ 'https://a': sends(bad), 'https://b': sends(bigBytes(1000)) });
      expect(await readOutcome(await good.serve(), bigBytes(1000))).toBe('right');
      const alone = setup({ 'https://a': sends(bad), 'https://b': down });
      const outcome = await afterRetry(alone.clock, alone.serve());
      expect(outcome).toMatchObject({
        kind: 'unavailable',
        status: 502,
        text: expect.stringContaining(cause),
      });
      await alone.context.idle();
      expect(alone.tiers.durable.files.size).toBe(0);
    },
  );
});

describe('many requests at a time', () => {
  it.each(['small', 'large'] as const)(
    'for a %s file are one request to the origin',
    async (size) => {
      const right = bigBytes(SIZES[size]);
      const { serve, fetch } = setup({ 'https://a': sends(right) });
      const all = await Promise.all(
        Array.from({ length: 5 }, async () => readOutcome(await serve(), right)),
      );
      expect(all).toEqual(['right', 'right', 'right', 'right', 'right']);
      expect(fetch.calls.length).toBe(1);
    },
  );

  it('each fetch the file where there is no store', async () => {
    const right = bigBytes(STREAMED_BYTES);
    const { serve } = setup({ 'https://a': sends(right) }, false);
    const all = await Promise.all([1, 2].map(async () => readOutcome(await serve(), right)));
    expect(all).toEqual(['right', 'right']);
  });

  it('do not wait for the end of a stream that is not stored', async () => {
    let pieces = 0;
    const pause = async () =>
      ++pieces % 10 === 0 ? new Promise<void>(() => undefined) : undefined;
    const stalls = sends(bigBytes(STREAMED_BYTES), { pause });
    const { serve, fetch } = setup({ 'https://a': stalls }, false);
    await serve();
    expect((await serve()).kind).toBe('found'); // no time has passed
    expect(fetch.calls.length).toBe(2);
  });

  it('hold no more than the budget, and stream what is beyond it', async () => {
    const right = bigBytes(3 * MIB);
    const { context, fetch } = setup({ 'https://a': sends(right) });
    const held = new Budget(8 * MIB, context.clock);
    const shared = { ...context.shared, budgets: { ...context.shared.budgets, held } };
    const outcomes = await Promise.all(
      [1, 2, 3, 4].map((number) =>
        serveLarge(bigFile({ version: `v1.0.${number}` }), { ...context, shared }),
      ),
    );
    expect(outcomes.filter(isHeld).length).toBe(2);
    for (const outcome of outcomes) expect(Buffer.compare(await body(outcome), right)).toBe(0);
    await context.idle();
    expect(fetch.calls.length).toBe(4);
    expect([typeof held.take(8 * MIB), held.take(1)]).toEqual(['function', undefined]); // all of it was released
  });

  it('wait three seconds for a leader that the platform has ended', async () => {
    const { serve, context, clock, fetch } = setup({ 'https://a': sends(bigBytes(1000)) });
    context.shared.flights.lead(key);
    const waiting = [serve(), serve(), serve()];
    await clock.advance(3_100);
    for (const outcome of await Promise.all(waiting)) expect(outcome.kind).toBe('found');
    expect(fetch.calls.length).toBe(1);
  });
});

describe('without fetching', () => {
  it('a file that is not stored is a 404 that is not kept', async () => {
    const { serve, fetch } = setup({ 'https://a': sends(bigBytes(1000)) });
    expect(await serve(false)).toMatchObject({ kind: 'missing', status: 404, cache: 'failure' });
    expect(fetch.calls.length).toBe(0);
  });

  it('a stored file is served', async () => {
    const { serve, tiers } = setup({});
    tiers.durable.files.set(key, { bytes: bigBytes(1000), etag: '"seeded"' });
    expect(await readOutcome(await serve(false), bigBytes(1000))).toBe('right');
  });
});

describe('a 404', () => {
  it('of every origin is kept for a while', async () => {
    const { serve, context, fetch } = setup({ 'https://a': no, 'https://b': no });
    expect(await serve()).toMatchObject({
      kind: 'missing',
      source: { from: 'origin', origin: 'a' },
    });
    await context.idle();
    expect(await serve()).toMatchObject({
      kind: 'missing',
      cache: 'negative',
      source: { from: 'store', tier: 'edge', origin: 'a' },
    });
    expect(fetch.calls.length).toBe(2);
  });

  it('of one origin while the other is down is not kept', async () => {
    const { serve, context, fetch } = setup({ 'https://a': no, 'https://b': down });
    expect(await serve()).toMatchObject({ kind: 'missing', cache: 'failure' });
    await context.idle();
    await serve();
    expect(fetch.calls.length).toBe(4);
  });
});

describe('a range', () => {
  it('of a stored file is that part of it, and of a file that is fetched all of it', async () => {
    const { context, tiers } = setup({ 'https://a': sends(bigBytes(1000)) });
    const fetched = await serveLarge(file, { ...context, select });
    expect(await readOutcome(fetched, bigBytes(1000))).toBe('right');
    await context.idle();
    expect(tiers.durable.files.has(key)).toBe(true);
    const part = await serveLarge(file, { ...context, select });
    expect(part).toMatchObject({ file: { size: 1000, range: { offset: 0, length: 3 } } });
    expect(Buffer.from(await body(part)).toString()).toBe('BIG');
  });

  it('beyond the end of a stored file has no body', async () => {
    const { context, tiers } = setup({});
    tiers.durable.files.set(key, { bytes: bigBytes(1000), etag: '"seeded"' });
    const outcome = await serveLarge(file, { ...context, select: () => 'unsatisfiable' });
    expect(outcome).toMatchObject({ file: { size: 1000, isUnsatisfiable: true } });
    expect((await body(outcome)).length).toBe(0);
  });
});

describe('a fill', () => {
  it.each([
    ['that no other request waits for ends', false],
    ['that another request waits for goes on', true],
  ])('%s when its slow client leaves', async (_, isWanted) => {
    const right = bigBytes(STREAMED_BYTES);
    const clock = fakeClock();
    const tiers = memoryTiers(clock);
    const slow = sends(right, { pause: () => clock.sleep(2_000) });
    const context = fakeContext({ clock, tiers, fetch: fakeFetch({ 'https://a': slow }) });
    const serving = serveLarge(file, context);
    await clock.advance(5_000);
    const reader = readerOf(await serving);
    if (isWanted) void context.shared.flights.join(key);
    const reading = reader.read();
    await clock.advance(10_000);
    await reading;
    await reader.cancel();
    await clock.advance(200_000);
    await context.idle();
    expect(tiers.durable.files.has(key)).toBe(isWanted);
  });

  it('that is fast ends in the store also when its client leaves', async () => {
    const right = bigBytes(STREAMED_BYTES);
    const { serve, context, tiers } = setup({ 'https://a': sends(right) });
    const reader = readerOf(await serve());
    await reader.read();
    await reader.cancel();
    await context.idle();
    expect(Buffer.compare(stored(tiers), right)).toBe(0);
  });
});
