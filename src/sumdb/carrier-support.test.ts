import { expect, it } from 'vitest';
import { openHttpDriver } from '../../test/fakes/effects/ask.ts';
import { fakeClock } from '../../test/fakes/effects/clock.ts';
import { fakeFetch, never, originOf, redirectTo } from '../../test/fakes/effects/fetch.ts';
import { failureReasonOf } from '../origins/failure.ts';
import { CarrierSupport } from './carrier-support.ts';

const carrier = originOf('a/sumdb/s', { carries: 's', authorization: 'Bearer x' });
const MINUTE = 60_000;
const no = () => new Response('no', { status: 404 });
const yes = () => new Response('');

function setup(...supported: readonly (() => Response | Promise<Response>)[]) {
  const clock = fakeClock();
  const fetch = fakeFetch({
    'https://a/sumdb/s/supported': supported,
    'https://moved/supported': yes,
    'https://': () => new Response('file'),
  });
  const support = new CarrierSupport(clock);
  const http = openHttpDriver({ fetch, clock });
  return {
    clock,
    fetch,
    support,
    /** A request to modferry, which asks the carrier for these files at a time. */
    async request(
      files: readonly string[],
      origin = carrier,
      signal = new AbortController().signal,
    ) {
      const driver = support.openDriver(http)(origin);
      const answers = files.map((path) => driver(path, { headers: {}, signal }));
      const settled = await Promise.allSettled(answers);
      return settled.map((one) =>
        one.status === 'fulfilled' ? one.value.status : failureReasonOf(one.reason),
      );
    },
    paths: () => fetch.calls.map(({ url }) => url.replace('https://a/sumdb/s', '')),
  };
}

const NOT_CARRIED = { kind: 'not asked', because: 'it does not carry the database' };

it('a carrier is asked whether it carries the database, once, with its credentials', async () => {
  const { fetch, paths, request } = setup(yes);
  expect(await request(['/latest'])).toEqual([200]);
  expect(await request(['/tile'])).toEqual([200]);
  expect(paths()).toEqual(['/supported', '/latest', '/tile']);
  expect(fetch.calls.map(({ headers }) => headers.get('Authorization'))).toEqual(
    fetch.calls.map(() => 'Bearer x'),
  );
});

it('ten files at a time ask it once', async () => {
  const { paths, request } = setup(yes);
  await request(Array.from({ length: 10 }, (_, at) => `/${at}`));
  expect(paths().filter((path) => path === '/supported').length).toBe(1);
});

it.each([
  ['200', yes, true],
  ['204', () => new Response(null, { status: 204 }), true],
  ['a redirect to 200', redirectTo('https://moved/supported'), true],
  ['404', no, false],
  ['410', () => new Response('', { status: 410 }), false],
  ['403', () => new Response('', { status: 403 }), false],
  ['400', () => new Response('', { status: 400 }), false],
])('%s means that it carries the database: %4$s', async (_, reply, carries) => {
  const { paths, request } = setup(reply);
  expect(await request(['/latest'])).toEqual([carries ? 200 : NOT_CARRIED]);
  expect(paths().includes('/latest')).toBe(carries);
});

it('one that does not is asked nothing for ten minutes, and then again', async () => {
  const { clock, paths, request, support } = setup(no, yes);
  expect(support.mayAsk(carrier)).toBe(true);
  await request(['/latest']);
  expect(support.mayAsk(carrier)).toBe(false);
  expect(await request(['/latest'])).toEqual([NOT_CARRIED]);
  expect(paths()).toEqual(['/supported']);
  await clock.advance(10 * MINUTE);
  expect(support.mayAsk(carrier)).toBe(true);
  expect(await request(['/latest'])).toEqual([200]);
});

it('one that does is asked again after an hour', async () => {
  const { clock, request } = setup(yes, no);
  await request(['/latest']);
  await clock.advance(60 * MINUTE);
  expect(await request(['/latest'])).toEqual([NOT_CARRIED]);
});

it.each([
  ['a status of 500', () => new Response('', { status: 500 }), { kind: 'status', status: 500 }],
  ['a status of 429', () => new Response('', { status: 429 }), { kind: 'status', status: 429 }],
  ['no connection', () => Promise.reject(new TypeError('refused')), { kind: 'unreachable' }],
])('%s is a failure, and nothing is remembered of it', async (_, reply, reason) => {
  const { request, support } = setup(reply, yes);
  expect(await request(['/latest', '/tile'])).toEqual([reason, reason]);
  expect(support.mayAsk(carrier)).toBe(true);
  expect(await request(['/latest'])).toEqual([200]);
});

it('a carrier that does not say has the time of one answer for it', async () => {
  const { clock, request } = setup(() => never(hung), yes);
  const asking = request(['/latest']);
  await clock.advance(carrier.limits.headersMs);
  expect(await asking).toEqual([{ kind: 'timeout', ms: carrier.limits.headersMs }]);
});

const hung = {
  url: '',
  headers: new Headers(),
  redirect: undefined,
  cache: undefined,
  signal: new AbortController().signal,
};

it('no other origin is asked for it', async () => {
  const { paths, request } = setup(no);
  expect(await request(['/x'], originOf('b'))).toEqual([200]);
  expect(paths()).toEqual(['https://b/x']);
});

it('the end of one request for a file does not end the question that another one waits for', async () => {
  const { paths, request } = setup(yes);
  const gone = AbortSignal.abort(new Error('gone'));
  expect(await request(['/latest'], carrier, gone)).toHaveLength(1);
  expect(await request(['/latest'])).toEqual([200]);
  expect(paths().filter((path) => path === '/supported').length).toBe(1);
});
