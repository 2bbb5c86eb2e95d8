import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { fakeFetch, originOf } from '../../../test/fakes/effects/fetch.ts';
import { text } from '../../../test/fakes/effects/values.ts';
import { afterRetry, fakeContext, memoryTiers } from '../../../test/fakes/mirror/context.ts';
import {
  bigBytes,
  bigFile,
  hashOf,
  knownAs,
  readOutcome,
  sends,
  STREAMED_BYTES,
  UNDECLARED_BYTES,
} from '../../../test/fakes/mirror/large-file.ts';
import { bytesOf } from '../../bytes/streams.ts';
import { OriginError } from '../../origins/failure.ts';
import type { Expectation } from '../expectation.ts';
import type { Outcome } from '../outcome.ts';
import { fill } from '../serve.ts';
import { fillLarge, serveLarge } from './serve-large.ts';

const right = () => bigBytes(UNDECLARED_BYTES);
const wrong = () => bigBytes(UNDECLARED_BYTES, 1);
const { key, hashKey } = bigFile();

const streams = (bytes: Uint8Array) => sends(bytes, { declares: false });
const read = (outcome: Outcome) => readOutcome(outcome, right());
const down = () => {
  throw new TypeError('refused');
};
const UNKNOWN: Expectation = {
  kind: 'unknown',
  failures: [{ origin: 'sum.example', reason: { kind: 'timeout', ms: 10_000 } }],
};

function setup(
  replies: Parameters<typeof fakeFetch>[0],
  expected: Expectation | undefined = knownAs(right()),
) {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const fetch = fakeFetch(replies);
  const context = fakeContext({ clock, fetch, tiers });
  const file = bigFile({ expected });
  const { durable } = tiers;
  const serve = () => serveLarge(file, context);
  return { clock, durable, fetch, context, file, serve };
}

describe('a stream', () => {
  it('of the right file is served whole, verified, and has its hash file', async () => {
    const { serve, context, durable } = setup({ 'https://a': streams(right()) });
    expect(await read(await serve())).toBe('right');
    await context.idle();
    expect(text(durable.files.get(hashKey)?.bytes ?? new Uint8Array())).toBe(hashOf(right()));
    expect(durable.files.get(hashKey)?.etag).toBe(durable.files.get(key)?.etag);
  });

  it('of declared length is verified as well', async () => {
    const [good, bad] = [bigBytes(STREAMED_BYTES), bigBytes(STREAMED_BYTES, 1)];
    for (const sent of [good, bad]) {
      const { serve, context, durable } = setup({ 'https://a': sends(sent) }, knownAs(good));
      expect(await readOutcome(await serve(), good)).toBe(sent === good ? 'right' : 'broken');
      await context.idle();
      expect(durable.files.has(key)).toBe(sent === good);
    }
  });

  it('of a wrong file breaks off, the copy is removed, and the next request gets the file of the other origin', async () => {
    const { serve, context, durable } = setup({
      'https://a': streams(wrong()),
      'https://b': streams(right()),
    });
    expect(await read(await serve())).toBe('broken');
    await context.idle();
    expect([...durable.files.keys()]).toEqual([]);
    expect(context.alarms).toMatchObject([
      { kind: 'mismatch', origin: 'a', hashes: { expected: hashOf(right()) } },
    ]);
    expect(context.blamed).toMatchObject([{ origin: 'a', reason: { kind: 'mismatch' } }]);
    expect(await read(await serve())).toBe('right');
  });

  it('is refused with all hashes once every origin has broken one by a wrong file', async () => {
    const { serve, context, durable } = setup({
      'https://a': streams(wrong()),
      'https://b': streams(wrong()),
    });
    expect([await read(await serve()), await read(await serve())]).toEqual(['broken', 'broken']);
    const refused = await serve();
    expect(refused).toMatchObject({ kind: 'unavailable', status: 502 });
    const cause = (origin: string) =>
      `${origin}: hash ${hashOf(wrong())} where sum.example has ${hashOf(right())}`;
    expect(await read(refused)).toBe(
      `unavailable: cannot get example.com/big@v1.0.0: ${cause('a')}; ${cause('b')}`,
    );
    await context.idle();
    expect([...durable.files.keys()]).toEqual([]);
  });

  it('is begun from the stored copy where an origin that was wrong has the right file by now', async () => {
    const { serve, context, durable } = setup({
      'https://a': streams(wrong()),
      'https://b': [streams(wrong()), streams(right())],
    });
    expect([await read(await serve()), await read(await serve())]).toEqual(['broken', 'broken']);
    const outcome = await serve();
    expect(outcome).toMatchObject({ cache: 'immutable', source: { from: 'origin', origin: 'b' } });
    expect(await read(outcome)).toBe('right');
    await context.idle();
    expect(durable.files.get(hashKey)?.etag).toBe(durable.files.get(key)?.etag);
  });

  it.each([
    ['the same file', right, right, 'right'],
    ['a wrong one', right, wrong, 'broken'],
    ['the right one, which this is not', wrong, right, 'broken'],
  ])(
    'during which another upload stores %s first is compared with that copy',
    async (_, sent, first, expected) => {
      const { serve, context, durable } = setup({ 'https://a': streams(sent()) });
      const outcome = await serve();
      durable.files.set(key, { bytes: first(), etag: '"theirs"' });
      expect(await read(outcome)).toBe(expected);
      await context.idle();
      const isVerified = expected === 'right';
      expect(durable.files.get(hashKey)?.etag).toBe(isVerified ? '"theirs"' : undefined);
    },
  );

  it('whose stored copy is replaced after it was verified is not served from there', async () => {
    const { serve, context, durable } = setup({
      'https://a': streams(wrong()),
      'https://b': [streams(wrong()), streams(right())],
    });
    expect([await read(await serve()), await read(await serve())]).toEqual(['broken', 'broken']);
    const write = durable.write.bind(durable);
    durable.write = async (asked, stored, mode) => {
      const isWritten = await write(asked, stored, mode);
      if (asked === hashKey) durable.files.set(key, { bytes: wrong(), etag: '"replaced"' });
      return isWritten;
    };
    expect(await read(await serve())).toMatch(/^unavailable/);
    await context.idle();
  });

  it('is not begun while the hash of the file cannot be had', async () => {
    const { serve, durable } = setup({ 'https://a': streams(right()) }, UNKNOWN);
    expect(await serve()).toMatchObject({
      kind: 'unavailable',
      status: 504,
      text: expect.stringContaining('sum.example'),
    });
    expect(durable.files.size).toBe(0);
  });

  it('is not begun while the durable store fails, as the file is verified there', async () => {
    const { serve, durable } = setup({ 'https://a': streams(right()) });
    durable.upload = () => Promise.reject(new Error('R2 is away'));
    expect(await read(await serve())).toMatch(/^unavailable: .*its store failed/);
  });

  it('without a durable store is passed on, reported, and kept in no cache', async () => {
    const fetch = fakeFetch({ 'https://a': streams(right()) });
    const context = fakeContext({ fetch, tiers: {} });
    const outcome = await serveLarge(bigFile({ expected: knownAs(right()) }), context);
    expect(outcome).toMatchObject({ kind: 'found', cache: 'failure' });
    expect(await read(outcome)).toBe('right');
    expect(context.troubles).toEqual([expect.stringContaining('not checked')]);
  });

  it('of a file that no log covers is stored without a hash file, and served for a day', async () => {
    const { serve, context, durable } = setup(
      { 'https://a': streams(right()) },
      { kind: 'uncovered' },
    );
    const outcome = await serve();
    expect(outcome).toMatchObject({ cache: 'uncovered' });
    expect(await read(outcome)).toBe('right');
    await context.idle();
    expect([...durable.files.keys()]).toEqual([key]);
    expect(await serve()).toMatchObject({
      cache: 'uncovered',
      source: { from: 'store', tier: 'r2' },
    });
  });
});

describe('a stream that is compared with nothing', () => {
  it.each([
    ['is cut off', () => sends(right().subarray(0, -1), { declares: false })],
    ['is shorter than declared', () => sends(right(), { length: STREAMED_BYTES })],
  ])('of a body that %s breaks off, and is not stored', async (_, bad) => {
    const clock = fakeClock();
    const { durable } = memoryTiers(clock);
    const fetch = fakeFetch({ 'https://a': bad() });
    const context = fakeContext({ clock, fetch, tiers: { durable } });
    const outcome = await serveLarge(bigFile(), context);
    if (outcome.kind !== 'found') throw new Error(outcome.text);
    await expect(bytesOf(outcome.file.body)).rejects.toBeInstanceOf(OriginError);
    await context.idle();
    expect(durable.files.size).toBe(0);
  });
});

it('twelve large files at a time are all verified: no stream waits for memory that a verification waits for', async () => {
  const clock = fakeClock();
  const fetch = fakeFetch({ 'https://a': streams(right()) });
  const context = fakeContext({ clock, fetch, tiers: memoryTiers(clock) });
  const expected = knownAs(right());
  const serve = (at: number) =>
    serveLarge(bigFile({ version: `v1.0.${at}`, origins: [originOf('a')], expected }), context);
  const done: string[] = [];
  const served = Array.from({ length: 12 }, async (_, at) =>
    done.push(await read(await serve(at))),
  );
  const started = clock.now();
  while (done.length < served.length) await clock.advance(50);
  expect(clock.now() - started).toBeLessThan(10_000); // the last one waited for memory, and had it
  await Promise.all(served);
  expect(new Set(done)).toEqual(new Set(['right']));
}, 30_000);

describe('a fill for no client', () => {
  it.each([
    ['small', () => bigBytes(1000)],
    ['large', right],
  ])('stores a %s file with its hash file', async (_, bytes) => {
    const { context, durable, file, fetch, serve } = setup(
      { 'https://a': sends(bytes(), { declares: false }) },
      knownAs(bytes()),
    );
    expect(await fillLarge(file, context)).toMatchObject({ kind: 'found', cache: 'immutable' });
    await context.idle();
    expect(Buffer.compare(durable.files.get(key)?.bytes ?? new Uint8Array(), bytes())).toBe(0);
    expect(durable.files.get(hashKey)?.etag).toBe(durable.files.get(key)?.etag);
    expect(await readOutcome(await serve(), bytes())).toBe('right');
    expect(fetch.calls.length).toBe(1);
  });

  it.each([
    ['that no log covers', { kind: 'uncovered' }, 'uncovered'],
    ['that is compared with nothing', undefined, 'immutable'],
  ] as const)('stores a large file %s', async (_, expected, cache) => {
    const clock = fakeClock();
    const { durable } = memoryTiers(clock);
    const fetch = fakeFetch({ 'https://a': streams(right()) });
    const context = fakeContext({ clock, fetch, tiers: { durable } });
    expect(await fillLarge(bigFile({ expected }), context)).toMatchObject({ kind: 'found', cache });
    await context.idle();
    expect([...durable.files.keys()]).toEqual([key]);
  });

  it('leaves no stream of the store open', async () => {
    const clock = fakeClock();
    const { durable } = memoryTiers(clock);
    const fetch = fakeFetch({ 'https://a': streams(right()) });
    const context = fakeContext({ clock, fetch, tiers: { durable } });
    const file = bigFile({ expected: knownAs(right()) });
    let opened = 0;
    let cancelled = 0;
    const readStored = durable.read.bind(durable);
    durable.read = async (asked, range) => {
      const stored = await readStored(asked, range);
      if (asked !== key || range || !stored) return stored;
      opened += 1;
      const body = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled += 1) });
      return { ...stored, body };
    };
    const large = { size: 'large', file } as const;
    expect([await fill(large, context), await fill(large, context)]).toEqual(['found', 'found']);
    expect([opened, cancelled]).toEqual([2, 2]);
  });

  it('does not fetch a file that is stored and was checked', async () => {
    const { context, file, fetch } = setup({ 'https://a': streams(right()) });
    await fillLarge(file, context);
    await context.idle();
    expect(await fillLarge(file, context)).toMatchObject({ kind: 'found' });
    expect(fetch.calls.length).toBe(1);
  });

  it('verifies a stored copy that was never checked', async () => {
    const { context, durable, file, fetch } = setup({});
    durable.files.set(key, { bytes: right(), etag: '"seeded"' });
    expect(await fillLarge(file, context)).toMatchObject({ kind: 'found' });
    await context.idle();
    expect(durable.files.get(hashKey)?.etag).toBe('"seeded"');
    expect(fetch.calls.length).toBe(0);
  });

  it('is shared with the requests that ask meanwhile', async () => {
    const { context, file, fetch, serve } = setup({ 'https://a': streams(right()) });
    const [filled, ...served] = await Promise.all([fillLarge(file, context), serve(), serve()]);
    expect(filled).toMatchObject({ kind: 'found', source: { from: 'origin', origin: 'a' } });
    expect(await Promise.all(served.map(read))).toEqual(['right', 'right']);
    expect(served.map(({ source }) => source.from)).toEqual(['store', 'store']);
    expect(fetch.calls.length).toBe(1);
  });

  it('refuses a wrong file and takes the right one of the next origin', async () => {
    const { context, durable, file } = setup({
      'https://a': streams(wrong()),
      'https://b': streams(right()),
    });
    const outcome = await fillLarge(file, context);
    expect(outcome).toMatchObject({ kind: 'found', source: { from: 'origin', origin: 'b' } });
    await context.idle();
    expect(Buffer.compare(durable.files.get(key)?.bytes ?? new Uint8Array(), right())).toBe(0);
    expect(context.alarms).toMatchObject([{ kind: 'mismatch', origin: 'a' }]);
  });

  it('that every origin has wrong is unavailable, and nothing is stored', async () => {
    const { context, durable, file } = setup({
      'https://a': streams(wrong()),
      'https://b': streams(wrong()),
    });
    expect(await fillLarge(file, context)).toMatchObject({ kind: 'unavailable', status: 502 });
    await context.idle();
    expect(durable.files.size).toBe(0);
  });

  it('is unavailable while every origin is down, and where there is no store', async () => {
    const { context, file, clock } = setup({ 'https://a': down, 'https://b': down });
    expect(await afterRetry(clock, fillLarge(file, context))).toMatchObject({ status: 502 });
    const fetch = fakeFetch({ 'https://a': streams(right()) });
    const storeless = fakeContext({ fetch, tiers: {} });
    expect(await fillLarge(file, storeless)).toMatchObject({
      kind: 'unavailable',
      text: expect.stringContaining('its store failed'),
    });
  });

  it.each([['write'], ['commit']] as const)(
    'asks no other origin when the store fails to %s it',
    async (step) => {
      const { context, durable, fetch, file } = setup({
        'https://a': streams(right()),
        'https://b': streams(right()),
      });
      const { upload } = durable;
      durable.upload = async (...parameters) => ({
        ...(await upload(...parameters)),
        [step]: () => Promise.reject(new Error('R2 is away')),
      });
      expect(await fillLarge(file, context)).toMatchObject({
        kind: 'unavailable',
        text: expect.stringContaining('its store failed'),
      });
      expect(fetch.calls.length).toBe(1);
    },
  );

  it('asks no other origin when the store fails to read it back', async () => {
    const { context, durable, fetch, file } = setup({
      'https://a': streams(right()),
      'https://b': streams(right()),
    });
    durable.read = () => Promise.reject(new Error('R2 is away'));
    expect(await fillLarge(file, context)).toMatchObject({
      kind: 'unavailable',
      text: expect.stringContaining('its store failed'),
    });
    expect(fetch.calls.length).toBe(1);
  });

  it('whose file was stored by another one at the same time is served from the store', async () => {
    const { context, durable, file } = setup({
      'https://a': streams(wrong()),
      'https://b': streams(right()),
    });
    const { upload } = durable;
    durable.upload = async (...parameters) => {
      durable.upload = upload;
      const begun = await upload(...parameters);
      return {
        ...begun,
        async commit() {
          await durable.write(key, { bytes: right(), etag: '"other"' }, 'create');
          return begun.commit();
        },
      };
    };
    expect(await read(await fillLarge(file, context))).toBe('right');
  });

  it('fetches nothing where origins may not be asked', async () => {
    const { context, file, fetch } = setup({ 'https://a': streams(right()) });
    const outcome = await fillLarge(file, { ...context, mayFetch: false });
    expect(outcome).toMatchObject({ kind: 'missing', cache: 'failure' });
    expect(fetch.calls.length).toBe(0);
  });
});

/** Begins as the file does, and ends otherwise. */
function bad(): Uint8Array {
  const bytes = wrong().slice();
  bytes.fill(0, -4);
  return bytes;
}

describe('an origin whose stream ends as no such file', () => {
  const mismatch = { event: 'security', kind: 'mismatch', origin: 'a' };

  it.each<[string, Expectation, 'no store' | 'a store that fails', readonly object[]]>([
    ['without a durable tier, of a known hash', knownAs(right()), 'no store', [mismatch]],
    ['without a durable tier, uncovered', { kind: 'uncovered' }, 'no store', []],
    ['whose upload fails, uncovered', { kind: 'uncovered' }, 'a store that fails', []],
  ])('is counted as failed %s', async (_, expected, store, alarms) => {
    const clock = fakeClock();
    const tiers = memoryTiers(clock);
    tiers.durable.upload = async () => ({
      write: () => Promise.reject(new Error('R2 is away')),
      commit: async () => true,
      abort: async () => undefined,
    });
    const fetch = fakeFetch({ 'https://a': streams(bad()) });
    const context = fakeContext({ clock, fetch, tiers: store === 'no store' ? {} : tiers });
    const file = bigFile({ expected });
    expect(await read(await serveLarge(file, context))).toBe('broken');
    await context.idle();
    expect(context.blamed.map(({ origin }) => origin)).toEqual(['a']);
    expect(context.alarms).toMatchObject(alarms);
    expect(context.shared.wrongFiles.has(file.key, 'a')).toBe(alarms.length > 0);
  });
});
