import { describe, expect, it } from 'vitest';
import { byteSource } from '../../../test/fakes/effects/byte-source.ts';
import { fakeClock, settled } from '../../../test/fakes/effects/clock.ts';
import { fakeFetch, never, originOf, redirectTo } from '../../../test/fakes/effects/fetch.ts';
import { attempt } from './attempt.ts';
import type { OriginBody } from './body.ts';
import { BadAnswer } from '../origin.ts';

const origin = originOf('a.example');
const text = async (body: OriginBody) => new TextDecoder().decode(await body.all(1000));
const question = { path: '/m/@v/list', accept: text };
const ask = (fetch: ReturnType<typeof fakeFetch>, asked = origin, clock = fakeClock()) =>
  attempt(asked, question, { fetch, clock, ms: 25_000 });

describe('what an answer means', () => {
  it('200 is accepted', async () => {
    const fetch = fakeFetch({ 'https://a.example': new Response('v1.0.0\n') });
    expect(await ask(fetch)).toEqual({ kind: 'accepted', value: 'v1.0.0\n', origin: 'a.example' });
  });

  it.each([
    [400, 'bad request', 404],
    [404, 'not found: module m', 404],
    [404, '', 404],
    [410, 'gone', 410],
  ])('%i %j is its word that there is none', async (status, said, shown) => {
    const result = await ask(
      fakeFetch({ 'https://a.example': new Response(` ${said}\n`, { status }) }),
    );
    expect(result).toEqual({
      kind: 'missing',
      missing: { status: shown, text: said, origin: 'a.example' },
    });
  });

  it.each([
    [404, 'not found: fetch timed out', 'timeout', 'not found: fetch timed out'],
    [404, 'not found: temporarily unavailable', 'timeout', 'not found: temporarily unavailable'],
    [410, 'Temporarily Unavailable', 'timeout', 'Temporarily Unavailable'],
    [401, 'who are you', 'status', 'status 401'],
    [403, 'no', 'status', 'status 403'],
    [201, 'made', 'status', 'status 201'],
    [206, 'part', 'status', 'status 206'],
    [300, 'choose', 'status', 'status 300'],
    [304, undefined, 'status', 'status 304'],
    [429, 'slower', 'overloaded', 'status 429'],
    [500, 'oops', 'status', 'status 500'],
    [502, 'oops', 'status', 'status 502'],
    [503, 'later', 'overloaded', 'status 503'],
  ])('%i %j is no word on the module: %s', async (status, body, cause, told) => {
    const response = new Response(status === 304 ? null : body, { status });
    const result = await ask(fakeFetch({ 'https://a.example': response }));
    const blame = cause === 'timeout' ? { isBlameless: true } : {};
    expect(result).toEqual({
      kind: 'failed',
      failure: { origin: 'a.example', cause, text: told, ...blame },
    });
  });

  it.each([
    ['7', 7],
    ['0', 0],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['99999999', undefined],
  ])('Retry-After: %s is %s seconds', async (value, seconds) => {
    const response = new Response('', { status: 503, headers: { 'Retry-After': value } });
    const result = await ask(fakeFetch({ 'https://a.example': response }));
    expect(result).toMatchObject({ kind: 'failed' });
    expect(result.kind === 'failed' && result.failure.retryAfter).toBe(seconds);
  });

  it('a Retry-After that is a date is compared with the clock of the origin', async () => {
    const headers = {
      Date: 'Wed, 21 Oct 2026 07:28:00 GMT',
      'Retry-After': 'Wed, 21 Oct 2026 07:30:00 GMT',
    };
    const result = await ask(
      fakeFetch({ 'https://a.example': new Response('', { status: 429, headers }) }),
    );
    expect(result.kind === 'failed' && result.failure.retryAfter).toBe(120);
  });

  it('a Retry-After of another status than 429 and 503 says nothing of the origin', async () => {
    const response = new Response('', { status: 403, headers: { 'Retry-After': '3600' } });
    const result = await ask(fakeFetch({ 'https://a.example': response }));
    expect(result.kind === 'failed' && result.failure.retryAfter).toBe(undefined);
  });

  it('an error is read only as far as a go command would show it', async () => {
    const response = new Response('x'.repeat(1_000_000), { status: 404 });
    const result = await ask(fakeFetch({ 'https://a.example': response }));
    expect(result.kind === 'missing' && result.missing.text.length).toBe(2048);
  });

  it.each([
    [
      'a lost connection',
      new TypeError('fetch failed: internal ref 0x33'),
      'unreachable',
      'connection failed',
    ],
    ['a body that breaks', brokenBody, 'unreachable', 'connection failed'],
    [
      'a body that is too long',
      new Response('x'.repeat(1001)),
      'answer',
      'body of more than 1000 bytes',
    ],
  ])('%s is a failure that tells no internals', async (_, reply, cause, told) => {
    const result = await ask(fakeFetch({ 'https://a.example': reply }));
    expect(result).toEqual({ kind: 'failed', failure: { origin: 'a.example', cause, text: told } });
  });

  it('what the question does not accept is a failure', async () => {
    const fetch = fakeFetch({ 'https://a.example': new Response('<html>') });
    const result = await attempt(
      origin,
      { path: '/', accept: () => Promise.reject(new BadAnswer('an HTML page')) },
      { fetch, clock: fakeClock(), ms: 1000 },
    );
    expect(result).toMatchObject({ failure: { cause: 'answer', text: 'an HTML page' } });
    expect(fetch.calls[0]?.signal.aborted).toBe(true);
  });
});

function brokenBody(): Response {
  const source = byteSource();
  source.push(new Uint8Array(3));
  queueMicrotask(() => source.fail(new Error('socket closed')));
  return new Response(source.stream);
}

describe('the request', () => {
  it('is built from scratch and sent below the base address', async () => {
    const fetch = fakeFetch({ 'https://a.example/go/m/@v/list': new Response('ok') });
    await ask(fetch, { ...origin, url: 'https://a.example/go', authorization: 'Bearer t' });
    const [call] = fetch.calls;
    expect([...(call?.headers ?? [])]).toEqual([
      ['accept-encoding', 'identity'],
      ['authorization', 'Bearer t'],
      ['user-agent', 'modferry'],
    ]);
    expect(call?.redirect).toBe('manual');
  });
});

describe('redirects', () => {
  it.each([
    [400, 'failed'],
    [404, 'missing'],
    [410, 'missing'],
  ])(
    'to an address that answers %i are %s: a signed address expires with 400',
    async (status, kind) => {
      const fetch = fakeFetch({
        'https://storage.example': new Response('ExpiredToken', { status }),
        'https://a.example': redirectTo('https://storage.example/x'),
      });
      expect((await ask(fetch)).kind).toBe(kind);
    },
  );

  it('are kept by no cache on the way', async () => {
    const fetch = fakeFetch({ 'https://a.example': new Response('ok') });
    await ask(fetch);
    expect(fetch.calls[0]?.cache).toBe('no-store');
  });

  it.each([
    ['https://storage.example/x?sig=1', 'https://storage.example/x?sig=1'],
    ['/elsewhere', 'https://a.example/elsewhere'],
    ['list2', 'https://a.example/m/@v/list2'],
  ])('to %s is followed', async (location, target) => {
    const fetch = fakeFetch({
      'https://a.example/m/@v/list': [redirectTo(location)],
      [target]: new Response('ok'),
    });
    // The address that redirects is also the start of a relative target.
    const replies = target.startsWith('https://a.example/m/@v/list')
      ? fakeFetch({
          [target]: new Response('ok'),
          'https://a.example/m/@v/list': redirectTo(location),
        })
      : fetch;
    expect(await ask(replies)).toMatchObject({ kind: 'accepted', value: 'ok' });
    expect(replies.calls.map(({ url }) => url)).toEqual(['https://a.example/m/@v/list', target]);
  });

  it.each([301, 302, 303, 307, 308])('%i never carries the Authorization along', async (status) => {
    const fetch = fakeFetch({
      'https://a.example': redirectTo('https://storage.example/x', status),
      'https://storage.example': new Response('ok'),
    });
    await ask(fetch, { ...origin, authorization: 'Bearer secret' });
    expect(fetch.calls.map(({ headers }) => headers.get('Authorization'))).toEqual([
      'Bearer secret',
      null,
    ]);
  });

  it('to the same host does not carry it either', async () => {
    const fetch = fakeFetch({
      'https://a.example/m': redirectTo('https://a.example/x'),
      'https://a.example/x': new Response('ok'),
    });
    await ask(fetch, { ...origin, authorization: 'Bearer secret' });
    expect(fetch.calls.map(({ headers }) => headers.has('Authorization'))).toEqual([true, false]);
  });

  it.each([
    ['file:///etc/passwd', 'a redirect to no http or https address'],
    ['data:text/plain,v1.0.0', 'a redirect to no http or https address'],
    ['http://', 'a redirect to no http or https address'],
    ['http://a.example/x', 'a redirect from https to http'],
  ])('to %s is not followed', async (location, told) => {
    const fetch = fakeFetch({ 'https://a.example': redirectTo(location) });
    expect(await ask(fetch)).toMatchObject({ failure: { cause: 'answer', text: told } });
    expect(fetch.calls.length).toBe(1);
  });

  it('from http to http is followed', async () => {
    const fetch = fakeFetch({
      'http://a.example': redirectTo('http://b.example/x'),
      'http://b.example': new Response('ok'),
    });
    expect(await ask(fetch, { ...origin, url: 'http://a.example' })).toMatchObject({
      kind: 'accepted',
    });
  });

  it('end after five', async () => {
    const loop = fakeFetch({ 'https://a.example': redirectTo('https://a.example/again') });
    expect(await ask(loop)).toMatchObject({ failure: { text: 'more than 5 redirects' } });
    expect(loop.calls.length).toBe(6);
  });
});

describe('limits of time', () => {
  it('headers that do not come end the attempt, and the connection', async () => {
    const clock = fakeClock();
    const fetch = fakeFetch({ 'https://a.example': never });
    const asked = ask(fetch, origin, clock);
    await clock.advance(9_999);
    expect(fetch.calls[0]?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(await asked).toMatchObject({
      failure: { cause: 'timeout', text: 'no answer within 10 s' },
    });
    expect(fetch.calls[0]?.signal.aborted).toBe(true);
  });

  it('a body that stalls ends the attempt, and one that moves does not', async () => {
    const clock = fakeClock();
    const source = byteSource();
    const fetch = fakeFetch({ 'https://a.example': () => new Response(source.stream) });
    const stalling = { ...origin, limits: { headersMs: 10_000, stallMs: 4_000 } };
    const asked = attempt(
      stalling,
      { path: '/', accept: (body) => body.start(100_000) },
      { fetch, clock, ms: 60_000 },
    );
    for (let turn = 0; turn < 4; turn++) {
      await clock.advance(3_000);
      source.push(new Uint8Array(16 * 1024));
      await settled();
    }
    await clock.advance(3_999);
    expect(fetch.calls[0]?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(await asked).toMatchObject({
      failure: { cause: 'timeout', text: 'no answer within 4 s' },
    });
    expect(fetch.calls[0]?.signal.aborted).toBe(true);
  });

  it('a few bytes now and then are no progress', async () => {
    const clock = fakeClock();
    const source = byteSource();
    const asked = ask(
      fakeFetch({ 'https://a.example': () => new Response(source.stream) }),
      origin,
      clock,
    );
    for (let turn = 0; turn < 4; turn++) {
      await clock.advance(5_000);
      source.push(new Uint8Array(1));
    }
    expect(await asked).toMatchObject({ failure: { cause: 'timeout' } });
  });

  it('the whole attempt has one as well', async () => {
    const clock = fakeClock();
    const fetch = fakeFetch({ 'https://a.example': never });
    const asked = attempt(origin, question, { fetch, clock, ms: 3_000 });
    await clock.advance(3_000);
    expect(await asked).toMatchObject({
      failure: { cause: 'timeout', text: 'no answer within 3 s' },
    });
    expect(fetch.calls[0]?.signal.aborted).toBe(true);
    expect(clock.alarms).toEqual([]);
  });
});

describe('the connection', () => {
  it.each([
    ['accepted', 200, false],
    ['missing', 404, true],
    ['failed', 500, true],
  ])('of an answer that is %s is given up: %s', async (kind, status, aborted) => {
    const fetch = fakeFetch({ 'https://a.example': new Response('', { status }) });
    expect((await ask(fetch)).kind).toBe(kind);
    expect(fetch.calls[0]?.signal.aborted).toBe(aborted);
  });
});
