import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openHttpDriver } from '../../../test/fakes/effects/ask.ts';
import { pattern } from '../../../test/fakes/effects/byte-source.ts';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import {
  fakeFetch,
  never,
  originOf,
  redirectTo,
  refused,
  socketFetch,
} from '../../../test/fakes/effects/fetch.ts';
import {
  a,
  b,
  changed,
  CHUNK,
  expectBroken,
  expectWhole,
  FILE,
  get,
  MIB,
  same,
  type Setup,
} from '../../../test/fakes/effects/resumed.ts';
import type { Fault } from '../../../test/fakes/origin/faults.ts';
import { makeModule } from '../../../test/fakes/origin/module.ts';
import { type FakeOrigin, startOrigin } from '../../../test/fakes/origin/origin.ts';
import { ranged } from '../../../test/fakes/zip/ranged.ts';
import { noise } from '../../../test/fakes/zip/zip-writer.ts';
import { Connections } from '../../effects/connections.ts';
import { systemClock } from '../../effects/clock.ts';
import { success } from '../../effects/result.ts';
import { attempt, type ResumeOptions } from './attempt.ts';

const OTHER = changed(FILE, FILE.length - 5);

function tooShort(): Response {
  const headers = { ETag: '"one"', 'Content-Length': String(FILE.length) };
  return new Response(FILE.subarray(0, MIB), { headers });
}

describe('a body that breaks off', () => {
  it.each([
    ['in its second chunk', CHUNK + 5],
    ['between two chunks', 2 * CHUNK],
    ['in the middle', 2 * MIB + 9],
    ['before its last byte', FILE.length - 1],
  ])(
    '%s is continued by the same origin, at the byte after the last whole chunk',
    async (_, at) => {
      const fetch = fakeFetch({ 'https://a': ranged(FILE, { breaks: [at] }) });
      const got = await get(fetch);
      expectWhole(got);
      const offset = Math.floor(at / CHUNK) * CHUNK;
      expect(got.asked).toEqual([`a.example bytes=${offset}-`]);
      expect(fetch.calls[1]?.headers.get('If-Range')).toBe('"one"');
      expect(got.breaks).toMatchObject([
        { origin: a, offset, error: new Error('connection lost') },
      ]);
      expect(got.resumed).toEqual([{ origin: a, offset, tries: 1 }]);
      expect([got.givenUp, got.body?.originNames]).toEqual([[], ['a.example']]);
    },
  );

  it('after its last byte is complete, and no origin is asked', async () => {
    const size = FILE.length - (FILE.length % CHUNK);
    const file = FILE.subarray(0, size);
    const got = await get(fakeFetch({ 'https://a': ranged(file, { breaks: [size] }) }));
    expectWhole(got, file);
    expect(got.asked).toEqual([]);
  });

  it('because it freezes is continued after the stall limit', async () => {
    const got = await get(
      fakeFetch({ 'https://a': ranged(FILE, { breaks: [MIB], freezes: true }) }),
    );
    expectWhole(got);
    expect(got.breaks).toMatchObject([{ error: { name: 'TimeoutError', ms: 20_000 }, bytes: MIB }]);
  });

  it('by ending too early is continued', async () => {
    const got = await get(fakeFetch({ 'https://a': [tooShort, ranged(FILE)] }));
    expectWhole(got);
    expect(got.breaks.map(({ error }) => String(error))).toEqual([
      `OriginError: body of ${MIB} bytes where ${FILE.length} were declared`,
    ]);
  });

  it('again and again is continued as long as each connection brings enough', async () => {
    const breaks = Array.from({ length: 4 }, () => MIB + 3);
    const got = await get(fakeFetch({ 'https://a': ranged(FILE, { breaks }) }));
    expectWhole(got);
    expect(got.resumed.length).toBe(4);
  });

  it('and freezes again after the first packets of the rest is continued by another origin', async () => {
    const breaks = [2 * MIB, 16 * 1024, 16 * 1024, 16 * 1024];
    const fetch = fakeFetch({
      'https://a': ranged(FILE, { breaks }),
      'https://b': ranged(FILE, { etag: '"two"' }),
    });
    const got = await get(fetch);
    expectWhole(got);
    expect(got.asked.map((asked) => asked.slice(0, 1))).toEqual(['a', 'b']);
  });

  it('is continued by date where there is no tag, and only by the server of that date', async () => {
    const headers = {
      'Last-Modified': 'Wed, 21 Oct 2026 07:28:00 GMT',
      Date: 'Wed, 21 Oct 2026 09:00:00 GMT',
    };
    const replies = ranged(FILE, { etag: null, headers, breaks: [MIB, 0] });
    const fetch = fakeFetch({
      'https://a': replies,
      'https://b': ranged(FILE, { etag: null, headers }),
    });
    const got = await get(fetch, { resume: 'by-validator' });
    expectWhole(got);
    expect(got.asked).toEqual([`a.example bytes=${MIB}-`, `a.example bytes=${MIB}-`]);
    expect(fetch.calls[1]?.headers.get('If-Range')).toBe(headers['Last-Modified']);
  });

  it('before it was accepted fails, so that the next origin is asked', async () => {
    const got = await get(fakeFetch({ 'https://a': ranged(FILE, { breaks: [MIB] }) }), {
      start: 2 * MIB,
    });
    expect(got.error).toMatchObject({
      kind: 'failed',
      failure: { reason: { kind: 'unreachable' } },
    });
    expect([got.asked, got.breaks]).toEqual([[], []]);
  });

  it('before it was accepted is continued where there is no other origin', async () => {
    const fetch = fakeFetch({ 'https://a': ranged(FILE, { breaks: [MIB, MIB] }) });
    const got = await get(fetch, { start: FILE.length, isAlone: true });
    expectWhole(got);
    expect(got.asked).toEqual([`a.example bytes=${MIB}-`, `a.example bytes=${2 * MIB}-`]);
  });

  it('before it was accepted is also continued where that takes a digest', async () => {
    const fetch = fakeFetch({
      'https://a': ranged(FILE, { breaks: [MIB, 3 * MIB], isUnranged: true }),
    });
    const got = await get(fetch, { start: FILE.length, isAlone: true });
    expectWhole(got);
    expect(got.resumed.map(({ offset }) => offset)).toEqual([MIB, 3 * MIB]);
  });

  it('because the attempt was aborted is not continued', async () => {
    const frozen = ranged(FILE, { breaks: [MIB], freezes: true });
    const got = await get(fakeFetch({ 'https://a': frozen }), {
      start: 2 * MIB,
      isAlone: true,
      limitMs: 5_000,
    });
    expect(got.error).toMatchObject({
      kind: 'failed',
      failure: { reason: { kind: 'timeout' } },
    });
    expect([got.asked, got.breaks]).toEqual([[], []]);
  });

  it.each([
    [0, 50],
    [0.5, 150],
    [1, 250],
  ])(
    'is continued with the random number %d after %i ms, so that not all return at once',
    async (random, pause) => {
      const got = await get(fakeFetch({ 'https://a': ranged(FILE, { breaks: [MIB] }) }), {
        random,
      });
      expect(got.pauses).toEqual([pause]);
    },
  );
});

describe('another origin', () => {
  const gone = new TypeError('refused');

  it('with an equal tag and length sends the rest', async () => {
    const fetch = fakeFetch({
      'https://a': [ranged(FILE, { breaks: [MIB] }), gone],
      'https://b': ranged(FILE),
    });
    const got = await get(fetch, { resume: 'by-validator' });
    expectWhole(got);
    expect(got.asked).toEqual([`a.example bytes=${MIB}-`, `b.example bytes=${MIB}-`]);
    expect(got.resumed).toEqual([{ origin: b, offset: MIB, tries: 2 }]);
    expect(got.body?.originNames).toEqual(['a.example', 'b.example']);
    // No request waits for the first one any more, and the bytes of the other are not its own.
    expect([got.progress.waitingMs, got.progress.bytes]).toEqual([0, MIB]);
  });

  it.each([
    ['another tag', { etag: '"two"' }],
    ['no tag', { etag: null }],
    ['no ranges', { isUnranged: true }],
  ])(
    'with %s sends the whole file, which is used if it starts with the delivered bytes',
    async (_, options) => {
      const fetch = fakeFetch({
        'https://a': [ranged(FILE, { breaks: [2 * MIB + 5] }), gone],
        'https://b': ranged(FILE, options),
      });
      const got = await get(fetch);
      expectWhole(got);
      expect(got.body?.originNames).toEqual(['b.example']);
    },
  );

  it('whose file differs only in the rest sends its own whole file, and nothing is mixed', async () => {
    const fetch = fakeFetch({
      'https://a': [ranged(FILE, { breaks: [MIB] }), gone],
      'https://b': ranged(OTHER, { etag: '"two"' }),
    });
    const got = await get(fetch);
    expectWhole(got, OTHER);
    expect(got.body?.originNames).toEqual(['b.example']);
  });

  it('that sent a part is then the one whose tag counts', async () => {
    // The first one is back with its own file, which is not the one that the client has 3 MiB of.
    const third = changed(FILE, MIB + 9);
    const fetch = fakeFetch({
      'https://a': [ranged(FILE, { breaks: [MIB] }), gone, ranged(FILE)],
      'https://b': [ranged(third, { etag: '"two"', breaks: [3 * MIB] }), gone],
    });
    const got = await get(fetch);
    expectBroken(got, third);
    expect(got.bytes.length).toBe(3 * MIB);
    const ifRanges = fetch.calls.slice(3).map(({ headers }) => headers.get('If-Range'));
    expect(new Set(ifRanges)).toEqual(new Set(['"two"']));
  });

  it.each(['by-digest', 'by-validator'] as const)(
    'whose file differs in the delivered bytes is not used: %s',
    async (resume) => {
      const fetch = fakeFetch({
        'https://a': [ranged(FILE, { breaks: [MIB] }), gone],
        'https://b': ranged(changed(FILE, 5), { etag: '"two"' }),
      });
      const got = await get(fetch, { resume });
      expectBroken(got);
      expect(got.error).toEqual(new Error('connection lost'));
      expect(got.givenUp.length).toBe(1);
    },
  );

  it('is not asked for the whole file where nothing could prove it', async () => {
    const headers = {
      'Last-Modified': 'Wed, 21 Oct 2026 07:28:00 GMT',
      Date: 'Wed, 21 Oct 2026 09:00:00 GMT',
    };
    const fetch = fakeFetch({
      'https://a': [ranged(FILE, { etag: null, headers, breaks: [MIB] }), gone],
      'https://b': ranged(FILE),
    });
    const got = await get(fetch, { resume: 'by-validator' });
    expectBroken(got);
    expect(got.asked.filter((asked) => asked.startsWith('b'))).toEqual([]);
  });
});

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
  ])('%s is no part of a complete body', async (_, reply) => {
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

describe('the connections of a request that stores a body', () => {
  it('leave one for the rest: the upload has one, and the other calls end by their limits', async () => {
    const clock = fakeClock();
    const connections = new Connections();
    connections.take(); // the upload, until the body has ended
    const reads = Array.from({ length: 8 }, () =>
      connections.run('internal', () => clock.sleep(5_000)),
    );
    const fetch = fakeFetch({ 'https://a': ranged(FILE, { breaks: [MIB] }) });
    expectWhole(await get(fetch, { connections, clock }));
    expect((await Promise.all(reads)).length).toBe(8);
  });

  it('ask for no rest after the platform has refused a call', async () => {
    const connections = new Connections();
    const first = ranged(FILE, { breaks: [MIB] });
    const fetch = fakeFetch({
      'https://a': [first, () => connections.call('external', refused)],
      'https://b': ranged(FILE),
    });
    const got = await get(fetch, { connections });
    expectBroken(got);
    expect(got.asked.length).toBe(1);
  });
});

describe('a request for the rest', () => {
  it('is redirected with its range and without the Authorization', async () => {
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
      ['x-real-ip', '192.0.2.1'],
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

it('without a validator, as at Athens, the digest of the delivered bytes is the proof', async () => {
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
    ['because the question does not demand it', headers, { resume: 'not at all' }],
    ['without a validator', { 'Content-Length': `${FILE.length}` }, { resume: 'by-validator' }],
    ['with a weak one', { ...headers, ETag: 'W/"one"' }, { resume: 'by-validator' }],
    ['without a declared length', { ETag: '"one"' }, {}],
    ['that is encoded', { ...headers, 'Content-Encoding': 'gzip' }, {}],
  ])('%s stays broken, and no origin is asked', async (_, headers, setup) => {
    const broken = ranged(FILE, { breaks: [MIB] });
    const fetch = fakeFetch({
      'https://a': (call) => new Response(broken(call).body, { headers }),
    });
    const got = await get(fetch, setup);
    expectBroken(got);
    expect([got.asked, got.breaks]).toEqual([[], []]);
  });
});

const NOISE = noise(9 * MIB + 5);
const PATH = '/example.com/big/@v/v1.0.0.zip';

let first: FakeOrigin;
let second: FakeOrigin;
beforeAll(async () => {
  const module = makeModule('example.com/big', { 'v1.0.0': { info: '{}', mod: '', zip: NOISE } });
  first = await startOrigin({ modules: [module] });
  second = await startOrigin({ modules: [module] });
});
beforeEach(() => {
  first.reset();
  second.reset();
});
afterAll(async () => {
  await first.close();
  await second.close();
});

const limits = { headersMs: 2000, stallMs: 200 };
const from = () => originOf('first', { url: first.url, limits, authorization: 'Bearer secret' });

async function download(options: Partial<ResumeOptions> = {}): Promise<Uint8Array> {
  const others = [originOf('second', { url: second.url, limits })];
  const result = await attempt(
    from(),
    {
      path: PATH,
      policy: { resume: 'by-digest' },
      accept: async (body) => success({ body, start: await body.start(CHUNK) }),
    },
    {
      openDriver: openHttpDriver({ fetch: socketFetch, clock: systemClock }),
      clock: systemClock,
      connections: new Connections(),
      limitMs: 25_000,
      resume: { others, isAlone: false, random: () => 0, ...options },
    },
  );
  if (result.kind !== 'accepted') throw new Error(`it is ${result.kind}`);
  const { body, start } = result.value;
  const parts = [start];
  do parts.push(await body.fill(new ArrayBuffer(CHUNK)));
  while (parts.at(-1)?.length);
  return Buffer.concat(parts);
}

const ranges = ({ requests }: FakeOrigin) => requests.map(({ headers }) => headers.range);

it.each<[Fault]>([['truncate'], [{ 'freeze-after': 3 * MIB }]])(
  'over a real connection a body with %j is continued by range, and the old connection is closed',
  async (fault) => {
    first.fault(fault, { times: 1 });
    expect(Buffer.compare(await download(), NOISE)).toBe(0);
    expect(ranges(first)).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d+-$/)]);
    expect(second.count()).toBe(0);
    await vi.waitUntil(() => first.requests.every(({ state }) => state !== 'open'));
  },
);

it('over a real connection another origin sends the rest without receiving the Authorization', async () => {
  first.fault(500);
  first.fault('truncate', { times: 1 });
  expect(Buffer.compare(await download(), NOISE)).toBe(0);
  expect(ranges(second)).toEqual([expect.stringMatching(/^bytes=[1-9]\d+-$/)]);
  expect(second.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
});

it('a redirect of the request for the rest is followed with its range and without the Authorization', async () => {
  first.fault({ redirect: second.url });
  first.fault('truncate', { times: 1 });
  expect(Buffer.compare(await download({ others: [] }), NOISE)).toBe(0);
  expect(
    second.requests.map(({ headers }) => [headers.authorization, headers['if-range']]),
  ).toEqual([[undefined, first.requests[1]?.headers['if-range']]]);
  expect(ranges(second)).toEqual([ranges(first)[1]]);
});

it('an answer with a whole file that starts differently is closed before its end', async () => {
  const other = new Uint8Array(NOISE);
  other[0] = 255 - (other[0] ?? 0);
  second.set(PATH, { body: other, headers: { etag: '"other"' } });
  first.fault(500);
  first.fault('truncate', { times: 1 });
  await expect(download()).rejects.toThrow(/terminated|aborted|closed/i);
  await vi.waitUntil(() => second.requests.every(({ state }) => state === 'broken'));
  expect(second.count()).toBe(3);
});
