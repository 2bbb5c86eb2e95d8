import { describe, expect, it } from 'vitest';
import { fakeFetch } from '../../../test/fakes/effects/fetch.ts';
import { ranged } from '../../../test/fakes/zip/ranged.ts';
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
} from '../../../test/fakes/effects/resumed.ts';

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
  ])('%s goes on from the same origin, at the byte after the last whole chunk', async (_, at) => {
    const fetch = fakeFetch({ 'https://a': ranged(FILE, { breaks: [at] }) });
    const got = await get(fetch);
    expectWhole(got);
    const offset = Math.floor(at / CHUNK) * CHUNK;
    expect(got.asked).toEqual([`a.example bytes=${offset}-`]);
    expect(fetch.calls[1]?.headers.get('If-Range')).toBe('"one"');
    expect(got.breaks).toMatchObject([{ origin: a, offset, error: new Error('connection lost') }]);
    expect(got.resumed).toEqual([{ origin: a, offset, tries: 1 }]);
    expect([got.givenUp, got.body?.givers]).toEqual([[], ['a.example']]);
  });

  it('after its last byte is whole all the same, and nobody is asked', async () => {
    const size = FILE.length - (FILE.length % CHUNK);
    const file = FILE.subarray(0, size);
    const got = await get(fakeFetch({ 'https://a': ranged(file, { breaks: [size] }) }));
    expectWhole(got, file);
    expect(got.asked).toEqual([]);
  });

  it('freezes and goes on after the limit for that', async () => {
    const got = await get(
      fakeFetch({ 'https://a': ranged(FILE, { breaks: [MIB], freezes: true }) }),
    );
    expectWhole(got);
    expect(got.breaks).toMatchObject([{ error: { name: 'TimeoutError', ms: 20_000 }, bytes: MIB }]);
  });

  it('ends well and too early, and goes on', async () => {
    const got = await get(fakeFetch({ 'https://a': [tooShort, ranged(FILE)] }));
    expectWhole(got);
    expect(got.breaks.map(({ error }) => String(error))).toEqual([
      `BadAnswer: body of ${MIB} bytes where ${FILE.length} were declared`,
    ]);
  });

  it('again and again goes on as long as it gets somewhere', async () => {
    const breaks = Array.from({ length: 4 }, () => MIB + 3);
    const got = await get(fakeFetch({ 'https://a': ranged(FILE, { breaks }) }));
    expectWhole(got);
    expect(got.resumed.length).toBe(4);
  });

  it('and is frozen again after the first packets of the rest goes on at another origin', async () => {
    const breaks = [2 * MIB, 16 * 1024, 16 * 1024, 16 * 1024];
    const fetch = fakeFetch({
      'https://a': ranged(FILE, { breaks }),
      'https://b': ranged(FILE, { etag: '"two"' }),
    });
    const got = await get(fetch);
    expectWhole(got);
    expect(got.asked.map((asked) => asked.slice(0, 1))).toEqual(['a', 'b']);
  });

  it('goes on by date where there is no tag, and only from the server whose date it is', async () => {
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

  it('before it was accepted is left to the next origin', async () => {
    const got = await get(fakeFetch({ 'https://a': ranged(FILE, { breaks: [MIB] }) }), {
      start: 2 * MIB,
    });
    expect(got.error).toMatchObject({ kind: 'failed', failure: { cause: 'unreachable' } });
    expect([got.asked, got.breaks]).toEqual([[], []]);
  });

  it('before it was accepted goes on where there is no other origin', async () => {
    const fetch = fakeFetch({ 'https://a': ranged(FILE, { breaks: [MIB, MIB] }) });
    const got = await get(fetch, { start: FILE.length, isAlone: true });
    expectWhole(got);
    expect(got.asked).toEqual([`a.example bytes=${MIB}-`, `a.example bytes=${2 * MIB}-`]);
  });

  it('before it was accepted goes on also where that takes a digest', async () => {
    const fetch = fakeFetch({
      'https://a': ranged(FILE, { breaks: [MIB, 3 * MIB], isUnranged: true }),
    });
    const got = await get(fetch, { start: FILE.length, isAlone: true });
    expectWhole(got);
    expect(got.resumed.map(({ offset }) => offset)).toEqual([MIB, 3 * MIB]);
  });

  it('as the attempt was given up has not broken off', async () => {
    const frozen = ranged(FILE, { breaks: [MIB], freezes: true });
    const got = await get(fakeFetch({ 'https://a': frozen }), {
      start: 2 * MIB,
      isAlone: true,
      ms: 5_000,
    });
    expect(got.error).toMatchObject({ kind: 'failed', failure: { cause: 'timeout' } });
    expect([got.asked, got.breaks]).toEqual([[], []]);
  });

  it.each([
    [0, 50],
    [0.5, 150],
    [1, 250],
  ])(
    'with chance at %d goes on after %i ms, so that not all come back at once',
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
    expect(got.body?.givers).toEqual(['a.example', 'b.example']);
    // Nobody waits for the first one any more, and what the other sends is not its pace.
    expect([got.vitals.silence, got.vitals.bytes]).toEqual([0, MIB]);
  });

  it.each([
    ['another tag', { etag: '"two"' }],
    ['no tag', { etag: null }],
    ['no ranges', { isUnranged: true }],
  ])(
    'with %s sends it all, and goes on if that begins with what was delivered',
    async (_, options) => {
      const fetch = fakeFetch({
        'https://a': [ranged(FILE, { breaks: [2 * MIB + 5] }), gone],
        'https://b': ranged(FILE, options),
      });
      const got = await get(fetch);
      expectWhole(got);
      expect(got.body?.givers).toEqual(['b.example']);
    },
  );

  it('whose file differs only in what is still to come sends its own whole file: nothing is mixed', async () => {
    const fetch = fakeFetch({
      'https://a': [ranged(FILE, { breaks: [MIB] }), gone],
      'https://b': ranged(OTHER, { etag: '"two"' }),
    });
    const got = await get(fetch);
    expectWhole(got, OTHER);
    expect(got.body?.givers).toEqual(['b.example']);
  });

  it('from which it went on is then the one whose tag counts', async () => {
    // The first one is back, with the file of the beginning: that is not the file of which the
    // client has 3 MiB now.
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
    'whose file differs in what was delivered sends nothing: %s',
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
