import { describe, expect, it } from 'vitest';
import { pattern } from '../../../test/fakes/effects/byte-source.ts';
import { fakeFetch, never, redirectTo } from '../../../test/fakes/effects/fetch.ts';
import { ranged } from '../../../test/fakes/zip/ranged.ts';
import {
  a,
  expectBroken,
  expectWhole,
  FILE,
  get,
  MIB,
  same,
  type Setup,
} from '../../../test/fakes/effects/resumed.ts';

describe('an answer that is not the rest', () => {
  const rest = FILE.subarray(MIB);
  const last = FILE.length - 1;
  const right = {
    ETag: '"one"',
    'Content-Range': `bytes ${MIB}-${last}/${FILE.length}`,
  };
  const part = (headers: Record<string, string>, bytes: Uint8Array = rest) =>
    new Response(new Uint8Array(bytes), { status: 206, headers: { ...right, ...headers } });

  it.each<[string, () => Response]>([
    [
      'from another byte',
      () => part({ 'Content-Range': `bytes ${MIB - 1}-${last}/${FILE.length}` }),
    ],
    [
      'of a longer file',
      () => part({ 'Content-Range': `bytes ${MIB}-${last}/${FILE.length + 1}` }),
    ],
    ['with another tag', () => part({ ETag: '"two"' })],
    [
      'without a tag',
      () =>
        new Response(rest, { status: 206, headers: { 'Content-Range': right['Content-Range'] } }),
    ],
    ['in several parts', () => part({ 'Content-Type': 'multipart/byteranges; boundary=x' })],
    ['whose body is longer than it says', () => part({}, pattern(rest.length + 1))],
    ['whose body is shorter than it says', () => part({}, rest.subarray(0, 10))],
    [
      'a whole file of another length',
      () =>
        new Response(FILE.subarray(1), { headers: { ETag: '"two"', 'Content-Length': `${last}` } }),
    ],
    [
      'a whole file that ends before the place',
      () =>
        new Response(FILE.subarray(0, 100), { headers: { 'Content-Length': `${FILE.length}` } }),
    ],
    ['a whole file without a length', () => new Response(FILE)],
    [
      'an encoded whole file',
      () =>
        new Response(FILE, {
          headers: { 'Content-Encoding': 'gzip', 'Content-Length': `${FILE.length}` },
        }),
    ],
    ['an error', () => new Response('no', { status: 500 })],
    [
      '"no such range"',
      () => new Response('', { status: 416, headers: { 'Content-Range': 'bytes */1' } }),
    ],
    ['"no such file"', () => new Response('', { status: 404 })],
    ['a redirect to no web address', redirectTo('file:///etc/passwd')],
  ])('%s is no part of a whole body', async (_, reply) => {
    const fetch = fakeFetch({
      'https://a': [ranged(FILE, { breaks: [MIB] }), reply],
      'https://b': reply,
    });
    const got = await get(fetch);
    expect(got.end).toBe('broken');
    expect(
      got.bytes.length > FILE.length || same(got.bytes, FILE.subarray(0, got.bytes.length)),
    ).toBe(true);
  });

  it('is followed by one that is', async () => {
    const fetch = fakeFetch({
      'https://a': [
        ranged(FILE, { breaks: [MIB] }),
        () => new Response('no', { status: 503 }),
        ranged(FILE),
      ],
    });
    const got = await get(fetch);
    expectWhole(got);
    expect(got.resumed).toMatchObject([{ tries: 3 }]);
  });
});

describe('a request for the rest', () => {
  it('is redirected with its range, and without the Authorization', async () => {
    const fetch = fakeFetch({
      'https://storage.example': ranged(FILE, { breaks: [MIB] }),
      'https://a': redirectTo('https://storage.example/x'),
    });
    expectWhole(await get(fetch));
    expect(
      fetch.calls.map(({ headers, url }) => [new URL(url).host, headers.get('Range')]),
    ).toEqual([
      ['a.example', null],
      ['storage.example', null],
      ['a.example', `bytes=${MIB}-`],
      ['storage.example', `bytes=${MIB}-`],
    ]);
    expect(fetch.calls.map(({ headers }) => headers.get('Authorization'))).toEqual([
      'Bearer a',
      null,
      'Bearer a',
      null,
    ]);
    expect(fetch.calls[3]?.headers.get('If-Range')).toBe('"one"');
  });

  it('to another origin has nothing of the first one', async () => {
    const fetch = fakeFetch({
      'https://a': [ranged(FILE, { breaks: [MIB] }), new TypeError('refused')],
      'https://b': ranged(FILE),
    });
    await get(fetch);
    expect([...(fetch.calls[2]?.headers ?? [])]).toEqual([
      ['accept-encoding', 'identity'],
      ['if-range', '"one"'],
      ['range', `bytes=${MIB}-`],
      ['user-agent', 'modferry'],
    ]);
  });

  it('that is not answered is given up after the limit for headers, and its connection ended', async () => {
    const fetch = fakeFetch({
      'https://a': [ranged(FILE, { breaks: [MIB] }), never],
      'https://b': ranged(FILE),
    });
    expectWhole(await get(fetch));
    expect(fetch.calls[1]?.signal.aborted).toBe(true);
  });
});

describe('the number of tries', () => {
  it('without fruit is three rounds, and the stream breaks with what it broke with first', async () => {
    const got = await get(
      fakeFetch({
        'https://a': [ranged(FILE, { breaks: [MIB] }), new TypeError('refused')],
        'https://b': new TypeError('refused'),
      }),
    );
    expectBroken(got);
    expect(got.asked.length).toBe(6);
    expect(got.error).toEqual(new Error('connection lost'));
    expect(got.givenUp).toEqual([{ origin: a, offset: MIB, tries: 6 }]);
  });

  it('of connections that all freeze after 16 KB is three', async () => {
    const breaks = [MIB, ...Array.from({ length: 50 }, () => 16_000)];
    const got = await get(fakeFetch({ 'https://a': ranged(FILE, { breaks }) }), { isAlone: true });
    expectBroken(got);
    expect(got.asked.length).toBe(3);
  });

  it('for one body is twenty requests, however fruitful they are', async () => {
    const file = pattern(25 * MIB);
    const breaks = Array.from({ length: 50 }, () => MIB);
    const got = await get(fakeFetch({ 'https://a': ranged(file, { breaks }) }));
    expectBroken(got, file);
    expect(got.asked.filter((asked) => asked.startsWith('a')).length).toBe(20);
    expect(got.bytes.length).toBe(21 * MIB);
  });
});

it('without a validator, as Athens has none, the digest of what came is the proof', async () => {
  const broken = ranged(FILE, { breaks: [MIB] });
  const headers = { 'Content-Length': `${FILE.length}` };
  const fetch = fakeFetch({ 'https://a': (call) => new Response(broken(call).body, { headers }) });
  const got = await get(fetch);
  expectWhole(got);
  expect(got.asked).toEqual(['a.example all']);
});

describe('a body that is not continued', () => {
  const headers = { ETag: '"one"', 'Content-Length': `${FILE.length}` };
  it.each<[string, Record<string, string>, Setup]>([
    ['as nobody asked for that', headers, { resume: 'not at all' }],
    ['without a validator', { 'Content-Length': `${FILE.length}` }, { resume: 'by-validator' }],
    ['with a weak one', { ...headers, ETag: 'W/"one"' }, { resume: 'by-validator' }],
    ['without a declared length', { ETag: '"one"' }, {}],
    ['that is encoded', { ...headers, 'Content-Encoding': 'gzip' }, {}],
  ])('%s stays broken, and nobody is asked', async (_, headers, setup) => {
    const broken = ranged(FILE, { breaks: [MIB] });
    const fetch = fakeFetch({
      'https://a': (call) => new Response(broken(call).body, { headers }),
    });
    const got = await get(fetch, setup);
    expectBroken(got);
    expect([got.asked, got.breaks]).toEqual([[], []]);
  });
});
