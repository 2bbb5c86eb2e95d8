import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openHttpDriver } from '../../../test/fakes/effects/ask.ts';
import { byteSource } from '../../../test/fakes/effects/byte-source.ts';
import { type FakeClock, fakeClock, settled } from '../../../test/fakes/effects/clock.ts';
import {
  type FakeFetch,
  fakeFetch,
  never,
  originOf,
  socketFetch,
  refused,
} from '../../../test/fakes/effects/fetch.ts';
import type { Fault } from '../../../test/fakes/origin/faults.ts';
import { hello } from '../../../test/fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../../../test/fakes/origin/origin.ts';
import { Connections } from '../../effects/connections.ts';
import { failed, success } from '../../effects/result.ts';
import { type FailureReason, failureText, OriginError, wrongContent } from '../failure.ts';
import { AttemptProgress } from './attempt-progress.ts';
import { type Attempt, attempt, type AttemptOptions } from './attempt.ts';
import type { HttpEffects } from './http-driver.ts';
import type { Question } from './question.ts';

const origin = originOf('a.example');
const question: Question<string> = {
  path: '/m/@v/list',
  accept: async (body) => success(new TextDecoder().decode(await body.all(1000))),
};

/** Over HTTP with this `fetch`. */
function optionsOf(
  fetch: HttpEffects['fetch'],
  clock = fakeClock(),
  limitMs = 25_000,
): AttemptOptions {
  const connections = new Connections();
  return { openDriver: openHttpDriver({ fetch, clock }), connections, clock, limitMs };
}

const ask = (fetch: FakeFetch, clock?: FakeClock) =>
  attempt(origin, question, optionsOf(fetch, clock));

describe('an answer', () => {
  it('with 200 is accepted', async () => {
    const fetch = fakeFetch({ 'https://a.example': new Response('v1.0.0\n') });
    expect(await ask(fetch)).toEqual({ kind: 'accepted', value: 'v1.0.0\n', origin: 'a.example' });
  });

  it.each([
    [400, 'bad request', 404],
    [404, 'not found: module m', 404],
    [404, '', 404],
    [410, 'gone', 410],
  ])('with %i %j means that there is no such file', async (status, written, shown) => {
    const result = await ask(
      fakeFetch({ 'https://a.example': new Response(` ${written}\n`, { status }) }),
    );
    expect(result).toEqual({
      kind: 'missing',
      missing: { status: shown, text: written, origin: 'a.example' },
    });
  });

  it.each([
    [404, 'not found: fetch timed out', 'not now', 'not found: fetch timed out'],
    [404, 'not found: temporarily unavailable', 'not now', 'not found: temporarily unavailable'],
    [410, 'Temporarily Unavailable', 'not now', 'Temporarily Unavailable'],
    [401, 'no credentials', 'status', 'status 401: no credentials'],
    [403, '<html>no', 'status', 'status 403: a page instead of an answer'],
    [
      404,
      '<?xml version="1.0"?><Code>NoSuchKey',
      'status',
      'status 404: a page instead of an answer',
    ],
    [201, 'made', 'status', 'status 201: made'],
    [206, 'part', 'status', 'status 206: part'],
    [300, 'choose', 'status', 'status 300: choose'],
    [304, undefined, 'status', 'status 304'],
    [429, 'slower', 'overloaded', 'status 429: slower'],
    [500, 'oops\nat line 3', 'status', 'status 500: oops'],
    [502, 'oops', 'status', 'status 502: oops'],
    [503, 'later', 'overloaded', 'status 503: later'],
  ])('with %i %j is a failure: %s', async (status, body, kind, text) => {
    const response = new Response(status === 304 ? null : body, { status });
    const result = await ask(fakeFetch({ 'https://a.example': response }));
    expect(result).toMatchObject({
      kind: 'failed',
      failure: { origin: 'a.example', reason: { kind } },
    });
    expect(textOf(result)).toBe(text);
  });

  it.each([
    ['7', 7],
    ['0', 0],
    ['Wed, 21 Oct 2026 07:28:00 GMT', undefined],
    ['-1', undefined],
    ['1e3', undefined],
    ['99999999', undefined],
  ])('with Retry-After: %s demands a pause of %s seconds', async (value, seconds) => {
    const response = new Response('', { status: 503, headers: { 'Retry-After': value } });
    const result = await ask(fakeFetch({ 'https://a.example': response }));
    expect(result).toMatchObject({ kind: 'failed' });
    expect(result.kind === 'failed' && result.failure.retryAfterSeconds).toBe(seconds);
  });

  it('with a date in Retry-After is compared with the clock of the origin', async () => {
    const headers = {
      Date: 'Wed, 21 Oct 2026 07:28:00 GMT',
      'Retry-After': 'Wed, 21 Oct 2026 07:30:00 GMT',
    };
    const result = await ask(
      fakeFetch({ 'https://a.example': new Response('', { status: 429, headers }) }),
    );
    expect(result.kind === 'failed' && result.failure.retryAfterSeconds).toBe(120);
  });

  it('with another status than 429 and 503 has no Retry-After', async () => {
    const response = new Response('', { status: 500, headers: { 'Retry-After': '3600' } });
    const result = await ask(fakeFetch({ 'https://a.example': response }));
    expect(result.kind === 'failed' && result.failure.retryAfterSeconds).toBe(undefined);
  });

  it('with an error is read only as far as a go command would show it', async () => {
    const response = new Response('x'.repeat(1_000_000), { status: 404 });
    const result = await ask(fakeFetch({ 'https://a.example': response }));
    expect(result.kind === 'missing' && result.missing.text.length).toBe(2048);
  });

  it.each([
    [
      'a reset connection',
      new TypeError('fetch failed: internal ref 0x33'),
      'unreachable',
      'connection failed',
    ],
    ['a body that breaks', brokenBody, 'unreachable', 'connection failed'],
    [
      'a body that is too long',
      new Response('x'.repeat(1001)),
      'too long',
      'body of more than 1000 bytes',
    ],
  ])('that is %s is a failure without internal details', async (_, reply, kind, text) => {
    const result = await ask(fakeFetch({ 'https://a.example': reply }));
    expect(result).toMatchObject({ kind: 'failed', failure: { origin: 'a.example' } });
    expect([reasonOf(result)?.kind, textOf(result)]).toEqual([kind, text]);
  });

  it('that the question does not accept is a failure', async () => {
    const fetch = fakeFetch({ 'https://a.example': new Response('<html>') });
    const result = await attempt(
      origin,
      { path: '/', accept: async () => failed(wrongContent('an HTML page')) },
      optionsOf(fetch),
    );
    expect(result).toMatchObject({ failure: { reason: wrongContent('an HTML page') } });
    expect(fetch.calls[0]?.signal.aborted).toBe(true);
  });
});

function reasonOf(result: Attempt<unknown>): FailureReason | undefined {
  return result.kind === 'failed' ? result.failure.reason : undefined;
}

function textOf(result: Attempt<unknown>): string | undefined {
  return result.kind === 'failed' ? failureText(result.failure.reason) : undefined;
}

function brokenBody(): Response {
  const source = byteSource();
  source.push(new Uint8Array(3));
  queueMicrotask(() => source.fail(new Error('socket closed')));
  return new Response(source.stream);
}

describe('the time limits', () => {
  it('headers that do not arrive end the attempt, and the connection', async () => {
    const clock = fakeClock();
    const fetch = fakeFetch({ 'https://a.example': never });
    const asked = ask(fetch, clock);
    await clock.advance(9_999);
    expect(fetch.calls[0]?.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(await asked).toMatchObject({
      failure: { reason: { kind: 'timeout', ms: 10_000 } },
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
      { path: '/', accept: async (body) => success(await body.start(100_000)) },
      optionsOf(fetch, clock, 60_000),
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
      failure: { reason: { kind: 'timeout', ms: 4_000 } },
    });
    expect(fetch.calls[0]?.signal.aborted).toBe(true);
  });

  it('a few bytes now and then are no progress', async () => {
    const clock = fakeClock();
    const source = byteSource();
    const asked = ask(fakeFetch({ 'https://a.example': () => new Response(source.stream) }), clock);
    for (let turn = 0; turn < 4; turn++) {
      await clock.advance(5_000);
      source.push(new Uint8Array(1));
    }
    expect(await asked).toMatchObject({ failure: { reason: { kind: 'timeout' } } });
  });

  it('the whole attempt has a limit too', async () => {
    const clock = fakeClock();
    const fetch = fakeFetch({ 'https://a.example': never });
    const asked = attempt(origin, question, optionsOf(fetch, clock, 3_000));
    await clock.advance(3_000);
    expect(await asked).toMatchObject({
      failure: { reason: { kind: 'timeout', ms: 3_000 } },
    });
    expect(fetch.calls[0]?.signal.aborted).toBe(true);
    expect(clock.alarms).toEqual([]);
  });
});

it('a status that the driver refuses is measured like every answer', async () => {
  const clock = fakeClock();
  const progress = new AttemptProgress(clock);
  const openDriver = () => async () => {
    await clock.sleep(70);
    throw new OriginError({ kind: 'status', status: 400 });
  };
  const options = { connections: new Connections(), clock, limitMs: 25_000, progress };
  const asked = attempt(origin, question, { openDriver, ...options });
  await clock.advance(70);
  expect(await asked).toMatchObject({ failure: { reason: { kind: 'status', status: 400 } } });
  expect(progress.headersMs).toBe(70);
});

/** An attempt behind six connections that are taken, and the first of these. */
function queued(fetch: FakeFetch, options: Partial<AttemptOptions> = {}) {
  const clock = fakeClock();
  const connections = new Connections();
  const [first] = Array.from({ length: 6 }, () => connections.take());
  const progress = new AttemptProgress(clock);
  const all = { ...optionsOf(fetch, clock, 10_000), connections, progress, ...options };
  let result: Attempt<string> | undefined;
  void attempt(origin, question, all).then((ended) => (result = ended));
  return { clock, connections, first, progress, result: () => result };
}

describe('without a free connection', () => {
  it('nothing is sent, and all times begin when there is one', async () => {
    const fetch = fakeFetch({ 'https://a.example': never });
    const { clock, first, progress, result } = queued(fetch);
    await clock.advance(9_000);
    expect([fetch.calls.length, progress.waitingMs, progress.isConnected]).toEqual([0, 0, false]);
    first?.release();
    await clock.advance(9_999);
    expect([fetch.calls.length, progress.waitingMs, result()]).toEqual([1, 9_999, undefined]);
    await clock.advance(1);
    expect(result()).toMatchObject({ failure: { reason: { kind: 'timeout', ms: 10_000 } } });
  });

  it('the time to the headers is that since there was one', async () => {
    const fetch = fakeFetch({ 'https://a.example': () => new Response('v1.0.0') });
    const { clock, first, progress, result } = queued(fetch);
    await clock.advance(3_000);
    first?.release();
    await clock.advance(0);
    expect([result()?.kind, progress.headersMs]).toEqual(['accepted', 0]);
  });

  it.each([
    ['as long as the limit', undefined, 10_000],
    ['until the deadline', 4_000, 4_000],
  ])('an attempt waits %s, and the origin counts as not asked', async (_, deadline, waits) => {
    const fetch = fakeFetch({});
    const { clock, connections, first, result } = queued(fetch, {
      deadline: deadline && fakeClock().now() + deadline,
    });
    await clock.advance(waits - 1);
    expect(result()).toBeUndefined();
    await clock.advance(1);
    const reason = { kind: 'not asked', because: 'the time was up' };
    expect(result()).toMatchObject({ kind: 'failed', failure: { reason } });
    first?.release();
    expect([fetch.calls.length, connections.take().isFree]).toEqual([0, true]);
  });

  it('an attempt ends when its client leaves', async () => {
    const client = new AbortController();
    const { clock, result } = queued(fakeFetch({}), { signal: client.signal });
    await clock.advance(100);
    client.abort(new Error('gone'));
    await clock.advance(0);
    const reason = { kind: 'not asked', because: 'the client left' };
    expect(result()).toMatchObject({ kind: 'failed', failure: { reason } });
  });
});

it('the deadline ends an attempt before its own limit does', async () => {
  const clock = fakeClock();
  const options = optionsOf(fakeFetch({ 'https://a.example': never }), clock);
  const asked = attempt(origin, question, { ...options, deadline: clock.now() + 300 });
  await clock.advance(300);
  expect(await asked).toMatchObject({ failure: { reason: { kind: 'timeout', ms: 300 } } });
});

it('a connection is given back when the headers have arrived, and the body is still read', async () => {
  const options = optionsOf(fakeFetch({ 'https://a.example': new Response('v1.0.0') }));
  const { connections } = options;
  Array.from({ length: 5 }, () => connections.take());
  const asked = attempt(
    origin,
    {
      ...question,
      accept: async () => success(connections.take().isFree ? 'free' : 'taken'),
    },
    options,
  );
  expect(await asked).toMatchObject({ kind: 'accepted', value: 'free' });
});

describe('after the platform has refused a call', () => {
  const mismatch = {
    kind: 'mismatch',
    hashes: { database: 'sum.example', expected: 'h1:a', found: 'h1:b' },
  } as const;
  it.each<[FailureReason, string]>([
    [{ kind: 'unchecked', text: 'no hash' }, 'limit'],
    [wrongContent('a wrong answer'), 'limit'],
    [mismatch, 'mismatch'],
  ])('an answer that is refused as %o fails as %s', async (reason, kind) => {
    const options = optionsOf(fakeFetch({ 'https://a.example': new Response('v1.0.0') }));
    const accept = async () => {
      await options.connections.run('external', refused).catch(() => undefined);
      return failed(reason);
    };
    expect(await attempt(origin, { ...question, accept }, options)).toMatchObject({
      failure: { reason: { kind } },
    });
  });
});

describe('the connection', () => {
  it.each([
    ['accepted', 200, false],
    ['missing', 404, true],
    ['failed', 500, true],
  ])('of an answer that is %s, with status %i, is aborted: %s', async (kind, status, aborted) => {
    const fetch = fakeFetch({ 'https://a.example': new Response('', { status }) });
    expect((await ask(fetch)).kind).toBe(kind);
    expect(fetch.calls[0]?.signal.aborted).toBe(aborted);
  });
});

let server: FakeOrigin;
beforeAll(async () => {
  server = await startOrigin({ modules: [hello()] });
});
beforeEach(() => server.reset());
afterAll(() => server.close());

const PATH = '/example.com/hello/@v/v1.1.0.zip';

function download(clock = fakeClock()): Promise<Attempt<Uint8Array>> {
  return attempt(
    originOf('real', { url: server.url }),
    { path: PATH, accept: async (body) => success(await body.all(1e6)) },
    optionsOf(socketFetch, clock),
  );
}

it.each<[Fault, string]>([
  ['reset', 'unreachable'],
  ['truncate', 'unreachable'],
  [500, 'status'],
  ['redirect-loop', 'redirect'],
])('over a real connection, %s is a failure: %s', async (fault, kind) => {
  server.fault(fault);
  expect(await download()).toMatchObject({ kind: 'failed', failure: { reason: { kind } } });
});

it.each<[Fault | undefined]>([[undefined], ['no-length'], ['redirect']])(
  'over a real connection, %s gives the file',
  async (fault) => {
    server.fault(fault);
    expect((await download()).kind).toBe('accepted');
  },
);

it.each<[string, Fault, number]>([
  ['headers that do not arrive', 'hang', 10_000],
  ['bodies that stall', { 'freeze-after': 10 }, 20_000],
])('%s end with a closed connection', async (_, fault, limitMs) => {
  server.fault(fault);
  const clock = fakeClock();
  const asked = download(clock);
  await vi.waitUntil(() => server.count() === 1 && clock.alarms.includes(limitMs));
  await clock.advance(limitMs);
  expect(await asked).toMatchObject({ failure: { reason: { kind: 'timeout' } } });
  await vi.waitUntil(() => server.requests[0]?.state === 'broken');
});
