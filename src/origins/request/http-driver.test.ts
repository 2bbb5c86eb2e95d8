import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHttpDriver } from '../../../test/fakes/effects/ask.ts';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import {
  fakeFetch,
  never,
  originOf,
  redirectTo,
  socketFetch,
} from '../../../test/fakes/effects/fetch.ts';
import { hello } from '../../../test/fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../../../test/fakes/origin/origin.ts';
import { Connections } from '../../effects/connections.ts';
import { success } from '../../effects/result.ts';
import type { Origin } from '../origin.ts';
import { attempt } from './attempt.ts';
import { httpDriver, type HttpEffects } from './http-driver.ts';

const origin = originOf('a.example');

function ask(fetch: HttpEffects['fetch'], from: Origin = origin, path = '/m/@v/list') {
  const clock = fakeClock();
  return attempt(
    from,
    { path, accept: async (body) => success(new TextDecoder().decode(await body.all(1e6))) },
    {
      openDriver: openHttpDriver({ fetch, clock }),
      connections: new Connections(),
      clock,
      limitMs: 25_000,
    },
  );
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
      ['x-real-ip', '192.0.2.1'],
    ]);
    expect(call?.redirect).toBe('manual');
  });
});

describe('redirects', () => {
  it.each([400, 403, 404, 410, 503])(
    'to a storage that answers %i are a failure, and nothing of its text is shown',
    async (status) => {
      const fetch = fakeFetch({
        'https://storage.example': new Response('INTERNAL', { status }),
        'https://a.example': redirectTo('https://storage.example/x'),
      });
      const answer = await ask(fetch);
      expect(answer).toMatchObject({ failure: { reason: { kind: 'status', status } } });
      expect(JSON.stringify(answer)).not.toContain('INTERNAL');
    },
  );

  it.each([
    'https://127.0.0.1/x',
    'https://2130706433/x',
    'https://localhost:8443/x',
    'https://[::ffff:127.0.0.1]/x',
    'https://169.254.169.254/latest',
    'https://[fe80::1]/x',
  ])('to %s are not followed, unless the origin is there', async (location) => {
    const answers = { [new URL(location).href]: new Response('ok') };
    const outside = fakeFetch({ 'https://a.example': redirectTo(location), ...answers });
    expect(await ask(outside)).toMatchObject({
      failure: {
        reason: { kind: 'redirect', problem: 'a redirect to a loopback or link-local address' },
      },
    });
    expect(outside.calls.length).toBe(1);
    const { host } = new URL(location);
    const there = fakeFetch({ ...answers, [`https://${host}/m`]: redirectTo(location) });
    expect(await ask(there, originOf(host))).toMatchObject({ kind: 'accepted', value: 'ok' });
  });

  it('from this machine to its link, and the other way round, are not followed', async () => {
    for (const [from, to] of [
      ['127.0.0.1', '169.254.169.254'],
      ['169.254.169.254', '127.0.0.1'],
    ] as const) {
      const fetch = fakeFetch({ [`https://${from}`]: redirectTo(`https://${to}/x`) });
      expect(await ask(fetch, originOf(from))).toMatchObject({ kind: 'failed' });
      expect(fetch.calls.length).toBe(1);
    }
  });

  it('that lead inside by way of another host are not followed', async () => {
    const fetch = fakeFetch({
      'https://a.example': redirectTo('https://b.example/x'),
      'https://b.example': redirectTo('https://127.0.0.1/x'),
    });
    expect(await ask(fetch)).toMatchObject({ failure: { reason: { kind: 'redirect' } } });
    expect(fetch.calls.length).toBe(2);
  });

  it.each([
    ['https://storage.example/x?sig=1', 'https://storage.example/x?sig=1'],
    ['/elsewhere', 'https://a.example/elsewhere'],
    ['list2', 'https://a.example/m/@v/list2'],
  ])('to %s are followed', async (location, target) => {
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

  it.each([301, 302, 303, 307, 308])(
    'with %i never carry the Authorization along',
    async (status) => {
      const fetch = fakeFetch({
        'https://a.example': redirectTo('https://storage.example/x', status),
        'https://storage.example': new Response('ok'),
      });
      await ask(fetch, { ...origin, authorization: 'Bearer secret' });
      expect(fetch.calls.map(({ headers }) => headers.get('Authorization'))).toEqual([
        'Bearer secret',
        null,
      ]);
    },
  );

  it('to the same host do not carry it either', async () => {
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
  ])('to %s are not followed', async (location, text) => {
    const fetch = fakeFetch({ 'https://a.example': redirectTo(location) });
    expect(await ask(fetch)).toMatchObject({
      failure: { reason: { kind: 'redirect', problem: text } },
    });
    expect(fetch.calls.length).toBe(1);
  });

  it('from http to http are followed', async () => {
    const fetch = fakeFetch({
      'http://a.example': redirectTo('http://b.example/x'),
      'http://b.example': new Response('ok'),
    });
    expect(await ask(fetch, { ...origin, url: 'http://a.example' })).toMatchObject({
      kind: 'accepted',
    });
  });

  it('end after ten', async () => {
    const loop = fakeFetch({ 'https://a.example': redirectTo('https://a.example/again') });
    expect(await ask(loop)).toMatchObject({
      failure: { reason: { kind: 'redirect', problem: 'more than 10 redirects' } },
    });
    expect(loop.calls.length).toBe(11);
  });
});

let server: FakeOrigin;
let other: FakeOrigin;
beforeAll(async () => {
  server = await startOrigin({ modules: [hello()] });
  other = await startOrigin({ modules: [hello()] });
});
afterAll(async () => {
  await server.close();
  await other.close();
});

it('a redirect to another server does not send it the Authorization', async () => {
  server.fault({ redirect: other.url });
  const origin = originOf('real', { url: server.url, authorization: 'Bearer secret' });
  const path = '/example.com/hello/@v/v1.1.0.zip';
  expect((await ask(socketFetch, origin, path)).kind).toBe('accepted');
  expect(server.requests[0]?.headers.authorization).toBe('Bearer secret');
  expect(other.requests.map(({ headers }) => headers.authorization)).toEqual([undefined]);
});

it('each redirect has the time limit for headers anew', async () => {
  const clock = fakeClock();
  const slowly = async () => {
    await clock.sleep(9_000);
    return redirectTo('https://b.example/x')();
  };
  const fetch = fakeFetch({ 'https://a.example': slowly, 'https://b.example': never });
  const driver = httpDriver(origin, { fetch, clock });
  const response = driver('/x', { headers: {}, signal: new AbortController().signal });
  response.catch(() => undefined);
  await clock.advance(18_999);
  expect(fetch.calls.length).toBe(2);
  expect(clock.alarms).toEqual([1]);
  await clock.advance(1);
  await expect(response).rejects.toMatchObject({ name: 'TimeoutError', ms: 10_000 });
});

it('the range headers of a request go along with every redirect', async () => {
  const fetch = fakeFetch({
    'https://a.example': redirectTo('https://b.example/x'),
    'https://b.example': new Response('', { status: 206 }),
  });
  const headers = { Range: 'bytes=5-', 'If-Range': '"one"' };
  const driver = httpDriver(origin, { fetch, clock: fakeClock() });
  const response = await driver('/x', { headers, signal: new AbortController().signal });
  expect(response.status).toBe(206);
  expect(fetch.calls.map(({ headers }) => [headers.get('Range'), headers.get('If-Range')])).toEqual(
    [
      ['bytes=5-', '"one"'],
      ['bytes=5-', '"one"'],
    ],
  );
});
