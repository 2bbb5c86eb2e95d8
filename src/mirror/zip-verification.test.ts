import { describe, expect, it } from 'vitest';
import { pattern } from '../../test/fakes/effects/byte-source.ts';
import { fakeCarrier, memoryTiers } from '../../test/fakes/effects/carrier.ts';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { hashZip } from '../../test/fakes/zip/dirhash.ts';
import { fakeFetch, originOf } from '../../test/fakes/effects/fetch.ts';
import { bytes, modulePath, text, version } from '../../test/fakes/effects/values.ts';
import { writeZip } from '../../test/fakes/zip/zip-writer.ts';
import { bytesOf } from '../store/guard.ts';
import { versionKey } from '../store/key.ts';
import type { Outcome } from './outcome.ts';
import type { Expected } from './verification.ts';
import { serveZip, type ZipFile } from './zip-file.ts';

const MIB = 1024 * 1024;
const hello = modulePath('example.com/hello');
const key = versionKey(hello, version('v1.0.0'), 'zip');
const mark = versionKey(hello, version('v1.0.0'), 'ziphash');
const prefix = 'example.com/hello@v1.0.0/';
const origins = [originOf('a'), originOf('b')];

const zipOf = (seed: number, size: number) =>
  new Uint8Array(
    writeZip([{ name: `${prefix}noise`, content: pattern(size).map((byte) => byte ^ seed) }]),
  );
const [right, wrong] = [zipOf(0, 10 * MIB), zipOf(1, 10 * MIB)];
const known: Expected = {
  kind: 'known',
  database: 'sum.example',
  zip: hashZip(right),
  mod: 'h1:mod',
};
const sends = (zip: Uint8Array) => () =>
  new Response(new Uint8Array(zip), { headers: { 'Content-Length': String(zip.length) } });

function setup(replies: Parameters<typeof fakeFetch>[0], expected: Expected = known) {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const carrier = fakeCarrier({ clock, fetch: fakeFetch(replies), tiers });
  const zip: ZipFile = {
    subject: 'example.com/hello@v1.0.0.zip',
    key,
    mark,
    path: '/x.zip',
    prefix,
    expect: async () => expected,
  };
  const serve = () => serveZip(zip, origins, { carrier, cachedOnly: false });
  return { tiers, carrier, serve };
}

const read = async (outcome: Outcome) => {
  if (outcome.kind !== 'found') return `${outcome.kind}: ${outcome.text}`;
  const body = await bytesOf(outcome.file.body).catch(() => 'broken' as const);
  if (body === 'broken') return body;
  return Buffer.compare(body, right) === 0 ? 'right' : 'wrong';
};

describe('a large zip', () => {
  it('that is right is served whole, proven and marked', async () => {
    const { serve, carrier, tiers } = setup({ 'https://a': sends(right) });
    expect(await read(await serve())).toBe('right');
    await carrier.idle();
    expect(text(tiers.r2.files.get(mark)?.bytes ?? new Uint8Array())).toBe(hashZip(right));
    expect(tiers.r2.files.get(mark)?.etag).toBe(tiers.r2.files.get(key)?.etag);
  });

  it('that is wrong breaks off, is removed, and comes from the other origin the next time', async () => {
    const { serve, carrier, tiers } = setup({
      'https://a': sends(wrong),
      'https://b': sends(right),
    });
    expect(await read(await serve())).toBe('broken');
    await carrier.idle();
    expect([...tiers.r2.files.keys()]).toEqual([]);
    expect(carrier.alarms).toMatchObject([
      { kind: 'mismatch', origin: 'a', hashes: { expected: hashZip(right) } },
    ]);
    expect(await read(await serve())).toBe('right');
  });

  it('that every origin has wrong is refused with all hashes, once each has broken a stream', async () => {
    const { serve, carrier, tiers } = setup({
      'https://a': sends(wrong),
      'https://b': sends(wrong),
    });
    expect([await read(await serve()), await read(await serve())]).toEqual(['broken', 'broken']);
    const refused = await serve();
    expect(refused).toMatchObject({ kind: 'unavailable', status: 502 });
    const found = hashZip(wrong);
    const said = (origin: string) =>
      `${origin}: hash ${found} where sum.example has ${hashZip(right)}`;
    expect(await read(refused)).toBe(
      `unavailable: cannot get example.com/hello@v1.0.0.zip: ${said('a')}; ${said('b')}`,
    );
    await carrier.idle();
    expect([...tiers.r2.files.keys()]).toEqual([]);
  });

  it('that one of them has right by then is served whole, from the store', async () => {
    const mended = [sends(wrong), sends(right)];
    const { serve, carrier, tiers } = setup({ 'https://a': sends(wrong), 'https://b': mended });
    expect([await read(await serve()), await read(await serve())]).toEqual(['broken', 'broken']);
    const outcome = await serve();
    expect(outcome).toMatchObject({ cache: 'immutable', source: { tier: 'origin', origin: 'b' } });
    expect(await read(outcome)).toBe('right');
    await carrier.idle();
    expect(tiers.r2.files.get(mark)?.etag).toBe(tiers.r2.files.get(key)?.etag);
  });

  it.each([
    ['the same', right, right, 'right'],
    ['a wrong one', right, wrong, 'broken'],
    ['the right one, which this is not', wrong, right, 'broken'],
  ])('that somebody else stored first, %s, while it was sent', async (_, sent, first, expected) => {
    const { serve, carrier, tiers } = setup({ 'https://a': sends(sent) });
    const outcome = await serve();
    tiers.r2.files.set(key, { bytes: first, etag: '"theirs"' });
    expect(await read(outcome)).toBe(expected);
    await carrier.idle();
    expect(tiers.r2.files.get(mark)?.etag).toBe(expected === 'right' ? '"theirs"' : undefined);
  });

  it('that is proven and then replaced is not served in the place of what was proven', async () => {
    const { serve, carrier, tiers } = setup({
      'https://a': sends(wrong),
      'https://b': [sends(wrong), sends(right)],
    });
    expect([await read(await serve()), await read(await serve())]).toEqual(['broken', 'broken']);
    const write = tiers.r2.write.bind(tiers.r2);
    tiers.r2.write = async (asked, file, mode) => {
      await write(asked, file, mode);
      if (asked === mark) tiers.r2.files.set(key, { bytes: wrong, etag: '"replaced"' });
    };
    expect(await read(await serve())).toMatch(/^unavailable/);
    await carrier.idle();
  });

  it('is refused while its hash cannot be learnt', async () => {
    const failures = [
      { origin: 'sum.example', cause: 'timeout', text: 'no answer within 10 s' },
    ] as const;
    const { serve, tiers } = setup({ 'https://a': sends(right) }, { kind: 'unknown', failures });
    expect(await serve()).toMatchObject({
      kind: 'unavailable',
      status: 504,
      text: expect.stringContaining('sum.example'),
    });
    expect(tiers.r2.files.size).toBe(0);
  });

  it('is refused while R2 fails, as it is checked there', async () => {
    const { serve, tiers } = setup({ 'https://a': sends(right) });
    tiers.r2.upload = () => Promise.reject(new Error('R2 is away'));
    expect(await read(await serve())).toMatch(/^unavailable: .*its store failed/);
  });

  it('without R2 is passed on, reported, and kept by nobody', async () => {
    const clock = fakeClock();
    const carrier = fakeCarrier({
      clock,
      fetch: fakeFetch({ 'https://a': sends(right) }),
      tiers: {},
    });
    const zip = { subject: 'm', key, mark, path: '/x', prefix, expect: async () => known };
    const outcome = await serveZip(zip, origins, { carrier, cachedOnly: false });
    expect(outcome).toMatchObject({ kind: 'found', cache: 'failure' });
    expect(await read(outcome)).toBe('right');
    expect(carrier.reports).toEqual([expect.stringContaining('not checked')]);
  });

  it('that no log covers is stored unmarked, and served for a day', async () => {
    const { serve, carrier, tiers } = setup({ 'https://a': sends(right) }, { kind: 'uncovered' });
    const outcome = await serve();
    expect(outcome).toMatchObject({ cache: 'uncovered' });
    expect(await read(outcome)).toBe('right');
    await carrier.idle();
    expect([...tiers.r2.files.keys()]).toEqual([key]);
    expect(await serve()).toMatchObject({ cache: 'uncovered', source: { tier: 'r2' } });
  });
});

describe('a stored zip without a mark', () => {
  it('is proven once, for all who ask at that time', async () => {
    const { serve, carrier, tiers } = setup({});
    tiers.r2.files.set(key, { bytes: right, etag: '"seeded"' });
    const outcomes = await Promise.all([serve(), serve(), serve()]);
    expect(await Promise.all(outcomes.map(read))).toEqual(['right', 'right', 'right']);
    await carrier.idle();
    expect(tiers.r2.files.get(mark)?.etag).toBe('"seeded"');
  });

  it('that is wrong is never served, and fetched anew', async () => {
    const { serve, carrier, tiers } = setup({ 'https://a': sends(right) });
    tiers.r2.files.set(key, { bytes: wrong, etag: '"seeded"' });
    expect(await read(await serve())).toBe('right');
    await carrier.idle();
    expect(carrier.alarms).toMatchObject([{ kind: 'stored-mismatch' }]);
    const stored = tiers.r2.files.get(key)?.bytes ?? new Uint8Array();
    expect(Buffer.compare(stored, right)).toBe(0);
  });

  it('is refused while R2 cannot read it', async () => {
    const { serve, tiers, carrier } = setup({});
    tiers.r2.files.set(key, { bytes: right, etag: '"seeded"' });
    const read = tiers.r2.read.bind(tiers.r2);
    tiers.r2.read = (asked, range) =>
      range ? Promise.reject(new Error('R2 is away')) : read(asked, range);
    expect(await serve()).toMatchObject({ kind: 'unavailable', status: 502 });
    expect(carrier.reports).toEqual(['verify: R2 is away']);
  });

  it.each([
    ['has the hash that is in its .ziphash is given as a stale copy', right, 'found', 'stale'],
    ['has another hash than its .ziphash is refused', wrong, 'unavailable', undefined],
  ])('that %s while its hash cannot be learnt', async (_, zip, kind, cache) => {
    const failures = [{ origin: 'sum.example', cause: 'timeout', text: 'x' }] as const;
    const { serve, tiers } = setup({}, { kind: 'unknown', failures });
    tiers.r2.files.set(key, { bytes: zip, etag: '"seeded"' });
    tiers.r2.files.set(mark, { bytes: bytes(hashZip(right)), etag: '"another"' });
    const outcome = await serve();
    expect(outcome).toMatchObject({ kind, ...(cache ? { cache } : {}) });
    if (outcome.kind === 'found') await bytesOf(outcome.file.body);
  });

  it('is not given on trust while its hash cannot be learnt', async () => {
    const { serve, tiers } = setup(
      {},
      { kind: 'unknown', failures: [{ origin: 'sum.example', cause: 'timeout', text: 'x' }] },
    );
    tiers.r2.files.set(key, { bytes: right, etag: '"seeded"' });
    expect(await serve()).toMatchObject({ kind: 'unavailable' });
    expect(tiers.r2.files.has(key)).toBe(true);
  });
});

it('twelve large zips at a time are all proven: proofs and streams do not wait for the memory of each other', async () => {
  const clock = fakeClock();
  const fetch = fakeFetch({ 'https://a': sends(right) });
  const carrier = fakeCarrier({ clock, fetch, tiers: memoryTiers(clock) });
  const serve = async (at: number) => {
    const number = version(`v1.0.${at}`);
    const zip: ZipFile = {
      subject: `${at}`,
      key: versionKey(hello, number, 'zip'),
      mark: versionKey(hello, number, 'ziphash'),
      path: '/x.zip',
      prefix,
      expect: async () => known,
    };
    return serveZip(zip, [originOf('a')], { carrier, cachedOnly: false });
  };
  const outcomes = await Promise.all(Array.from({ length: 12 }, (_, at) => serve(at)));
  const done: string[] = [];
  const bodies = outcomes.map(async (outcome) => done.push(await read(outcome)));
  const started = clock.now();
  while (done.length < outcomes.length) await clock.advance(50);
  expect(clock.now() - started).toBeLessThan(240_000); // before memory that nobody gives back counts as free
  await Promise.all(bodies);
  expect(new Set(done)).toEqual(new Set(['right']));
}, 30_000);

it('"not cached" of a request that may not fetch is no answer to one that may', async () => {
  const { tiers, carrier } = setup({ 'https://a': sends(right) });
  tiers.r2.files.set(key, { bytes: wrong, etag: '"seeded"' });
  const zip = { subject: 'm', key, mark, path: '/x', prefix, expect: async () => known };
  const [cached, fetching] = await Promise.all([
    serveZip(zip, origins, { carrier, cachedOnly: true }),
    serveZip(zip, origins, { carrier, cachedOnly: false }),
  ]);
  expect(cached).toMatchObject({ kind: 'missing', cache: 'failure' });
  expect(await read(fetching)).toBe('right');
});
