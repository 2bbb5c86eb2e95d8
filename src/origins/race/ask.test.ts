import { askEffects } from '../../../test/fakes/effects/ask.ts';
import { describe, expect, it } from 'vitest';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { type FakeFetch, fakeFetch, never, originOf } from '../../../test/fakes/effects/fetch.ts';
import { type Answer, askOrigins } from './ask.ts';
import { Pool } from '../health/pool.ts';
import { BadAnswer, Mismatch, type Origin } from '../origin.ts';

const question = {
  path: '/x',
  accept: async (body: { all(limit: number): Promise<Uint8Array> }) =>
    new TextDecoder().decode(await body.all(100)),
};

/** `a|b,c` as origins. */
function origins(text: string): readonly Origin[] {
  return [...text.matchAll(/(\w)([|,]?)/g)].map(([, name = '', separator]) =>
    originOf(name, { fallback: separator === ',' ? 'missing' : 'any' }),
  );
}

/** The answer, when the pause before the last try of all is over. */
async function answered(
  list: readonly Origin[],
  rest: { readonly fetch: FakeFetch },
): Promise<Answer<string>> {
  const clock = fakeClock();
  const asked = askOrigins(list, question, askEffects({ clock, ...rest }));
  await clock.advance(1_000);
  return asked;
}

const REPLY = {
  ok: () => new Response('ok'),
  404: () => new Response('no', { status: 404 }),
  410: () => new Response('gone', { status: 410 }),
  500: () => new Response('', { status: 500 }),
  down: () => {
    throw new TypeError('refused');
  },
} as const;

describe('failover', () => {
  it.each([
    // `|` moves on whatever happened
    ['a|b', { a: 'ok', b: 'ok' }, 'a', 'accepted by a'],
    ['a|b', { a: 'down', b: 'ok' }, 'ab', 'accepted by b'],
    ['a|b', { a: '500', b: 'ok' }, 'ab', 'accepted by b'],
    ['a|b', { a: '404', b: 'ok' }, 'ab', 'accepted by b'],
    ['a|b', { a: '404', b: '410' }, 'ab', '404 of a'],
    ['a|b', { a: '410', b: '404' }, 'ab', '410 of a'],
    ['a|b', { a: 'down', b: '500' }, 'aba', 'failed'],
    // mirrors: a 404 counts also when the others are down, and is not kept
    ['a|b', { a: '404', b: 'down' }, 'ab', '404 of a, not unanimous'],
    ['a|b', { a: 'down', b: '404' }, 'ab', '404 of b, not unanimous'],
    // `,` moves on after 404 and 410 alone; who is left alone with a failure is asked once more
    ['a,b', { a: 'ok', b: 'ok' }, 'a', 'accepted by a'],
    ['a,b', { a: '404', b: 'ok' }, 'ab', 'accepted by b'],
    ['a,b', { a: '410', b: 'ok' }, 'ab', 'accepted by b'],
    ['a,b', { a: '500', b: 'ok' }, 'aa', 'failed'],
    ['a,b', { a: 'down', b: 'ok' }, 'aa', 'failed'],
    ['a,b', { a: '404', b: '404' }, 'ab', '404 of b'],
    // an outage never turns into a 404
    ['a,b', { a: '404', b: 'down' }, 'abb', 'failed'],
    ['a,b,c', { a: '404', b: '404', c: '500' }, 'abcc', 'failed'],
    // groups of mirrors
    ['a|b,c', { a: 'down', b: '404', c: 'ok' }, 'abc', 'accepted by c'],
    ['a|b,c', { a: '404', b: 'down', c: 'ok' }, 'abc', 'accepted by c'],
    ['a|b,c', { a: 'down', b: '500', c: 'ok' }, 'aba', 'failed'],
    ['a|b,c', { a: '404', b: '404', c: 'down' }, 'abcc', 'failed'],
    ['a,b|c', { a: '404', b: 'down', c: '404' }, 'abc', '404 of c, not unanimous'],
    ['a,b|c', { a: '404', b: 'down', c: 'down' }, 'abcb', 'failed'],
    // a comma behind the last one changes nothing
    ['a|b,', { a: '404', b: '404' }, 'ab', '404 of a'],
    ['a|b,', { a: '404', b: 'down' }, 'ab', '404 of a, not unanimous'],
    ['a|b,', { a: 'down', b: 'down' }, 'aba', 'failed'],
  ])('%s with %j asks %s: %s', async (list, replies, asked, verdict) => {
    const table = Object.entries(replies).map(([name, reply]) => [
      `https://${name}/`,
      REPLY[reply as keyof typeof REPLY],
    ]);
    const fetch = fakeFetch(Object.fromEntries(table));
    const answer = await answered(origins(list), { fetch });
    expect(fetch.calls.map(({ url }) => new URL(url).host).join('')).toBe(asked);
    expect(answer.attempts).toBe(asked.length);
    const told =
      answer.kind === 'accepted'
        ? `accepted by ${answer.origin}`
        : answer.kind === 'missing'
          ? `${answer.missing.status} of ${answer.missing.origin}${answer.unanimous ? '' : ', not unanimous'}`
          : answer.kind;
    expect(told).toBe(verdict);
  });

  it('names every failure, in order', async () => {
    const fetch = fakeFetch({ 'https://a/': REPLY.down, 'https://b/': REPLY[500] });
    expect(await answered(origins('a|b'), { fetch })).toEqual({
      kind: 'failed',
      failures: [
        { origin: 'a', cause: 'unreachable', text: 'connection failed' },
        { origin: 'b', cause: 'status', text: 'status 500' },
      ],
      attempts: 3,
    });
  });

  it('of no origins is a failure without a cause', async () => {
    const effects = askEffects();
    expect(await askOrigins([], question, effects)).toEqual({
      kind: 'failed',
      failures: [],
      attempts: 0,
    });
  });
});

describe('the time for all origins', () => {
  it('is shared: who comes after its end is not asked', async () => {
    const clock = fakeClock();
    const fetch = fakeFetch({ 'https://a/': never, 'https://b/': REPLY.ok });
    const list = [
      originOf('a', { fallback: 'any', limits: { headersMs: 60_000, stallMs: 60_000 } }),
      originOf('b'),
    ];
    const pool = new Pool({ clock, random: () => 0.5 });
    while (pool.budget.spend());
    const asked = askOrigins(list, question, askEffects({ fetch, clock, pool, ms: 15_000 }));
    await clock.advance(14_999);
    expect(fetch.calls.length).toBe(1);
    await clock.advance(1);
    expect(await asked).toMatchObject({
      kind: 'failed',
      attempts: 1,
      failures: [
        { origin: 'a', text: 'no answer within 15 s' },
        { origin: 'b', text: 'not asked, the time was up', cause: 'timeout' },
      ],
    });
    expect(fetch.calls.map(({ signal }) => signal.aborted)).toEqual([true]);
  });
});

const overloaded = (retryAfter: string) => () =>
  new Response('', { status: 503, headers: { 'Retry-After': retryAfter } });

describe('a lone origin', () => {
  it.each([
    ['that is down', REPLY.down, 0, 50],
    ['that is down', REPLY.down, 0.5, 150],
    ['that answers 500', REPLY[500], 1, 250],
    ['that asks for a second of patience', overloaded('1'), 0.5, 1000],
    ['that asks for two', overloaded('2'), 0.5, 2000],
  ])('%s is asked once more, with %s to dice after %i ms', async (_, reply, random, pause) => {
    const clock = fakeClock();
    const fetch = fakeFetch({ 'https://a/': [reply, REPLY.ok] });
    const asked = askOrigins(
      origins('a'),
      question,
      askEffects({ fetch, clock, random: () => random }),
    );
    await clock.advance(pause - 1);
    expect(fetch.calls.length).toBe(1);
    await clock.advance(1);
    expect(await asked).toMatchObject({ kind: 'accepted', attempts: 2 });
  });

  it('is asked twice and not three times', async () => {
    const clock = fakeClock();
    const fetch = fakeFetch({ 'https://a/': REPLY[500] });
    const asked = askOrigins(origins('a'), question, askEffects({ fetch, clock, ms: 25_000 }));
    await clock.advance(60_000);
    expect(await asked).toMatchObject({ kind: 'failed', attempts: 2 });
    expect(fetch.calls.length).toBe(2);
  });

  it.each([
    ['it says 404', REPLY[404], 25_000],
    ['it asks for more patience than two seconds', overloaded('3'), 25_000],
    ['the pause would take what time there is', overloaded('2'), 2_000],
    [
      'it says 404 and means a timeout',
      () => new Response('fetch timed out', { status: 404 }),
      25_000,
    ],
  ])('is not asked again when %s', async (_, reply, ms) => {
    const fetch = fakeFetch({ 'https://a/': reply });
    const effects = askEffects({ fetch, ms });
    expect((await askOrigins(origins('a'), question, effects)).attempts).toBe(1);
  });

  it('is not asked again when it took too long', async () => {
    const clock = fakeClock();
    const fetch = fakeFetch({ 'https://a/': never });
    const asked = askOrigins(origins('a'), question, askEffects({ fetch, clock, ms: 25_000 }));
    await clock.advance(25_000);
    expect(await asked).toMatchObject({ kind: 'failed', attempts: 1 });
  });
});

it('of several origins that failed, the best one is asked once more when no other is left', async () => {
  const fetch = fakeFetch({ 'https://a/': [REPLY[500], REPLY.ok], 'https://b/': REPLY[500] });
  expect(await answered(origins('a|b'), { fetch })).toMatchObject({
    kind: 'accepted',
    origin: 'a',
    attempts: 3,
  });
});

const wrong = () => new Response('wrong');

const refuse = async () => Promise.reject(new BadAnswer('a page'));

describe('a file with another hash than the log has', () => {
  const hashes = { database: 'sum.example', expected: 'h1:right', found: 'h1:wrong' };
  const checked = {
    path: '/x',
    async accept(body: { all(limit: number): Promise<Uint8Array> }) {
      const said = new TextDecoder().decode(await body.all(100));
      if (said === 'wrong') throw new Mismatch(hashes);
      return said;
    },
  };
  const ask = (list: string, replies: Parameters<typeof fakeFetch>[0]) => {
    const fetch = fakeFetch(replies);
    const effects = askEffects({ fetch });
    return { fetch, answer: askOrigins(origins(list), checked, effects) };
  };

  it.each(['a|b', 'a,b'])('is asked of the next origin in %s', async (list) => {
    const { answer } = ask(list, { 'https://a': wrong, 'https://b': () => new Response('right') });
    expect(await answer).toEqual({
      kind: 'accepted',
      value: 'right',
      origin: 'b',
      attempts: 2,
      failures: [{ origin: 'a', cause: 'mismatch', text: expect.any(String), hashes }],
    });
  });

  it.each([
    ['a|b', 404],
    ['a,b', 410],
  ])(
    'is not hidden behind the word of another origin in %s, which has no such file: %i',
    async (list, status) => {
      const no = () => new Response('no', { status });
      expect(await ask(list, { 'https://a': wrong, 'https://b': no }).answer).toMatchObject({
        kind: 'failed',
        failures: [{ cause: 'mismatch', hashes }],
      });
      expect(await ask(list, { 'https://a': no, 'https://b': wrong }).answer).toMatchObject({
        kind: 'failed',
        failures: [{ cause: 'mismatch', hashes }],
      });
    },
  );

  it('or a page, of a lone origin that then says 404, is no 404', async () => {
    const replies = [() => new Response('<html>'), () => new Response('', { status: 404 })];
    const clock = fakeClock();
    const effects = askEffects({ fetch: fakeFetch({ 'https://a': replies }), clock });
    const answer = askOrigins(origins('a'), { path: '/x', accept: refuse }, effects);
    await clock.advance(1_000);
    expect(await answer).toMatchObject({ kind: 'failed', failures: [{ text: 'a page' }] });
  });

  it('is not asked of a lone origin a second time', async () => {
    const { answer, fetch } = ask('a', { 'https://a': wrong });
    expect(await answer).toMatchObject({ kind: 'failed', attempts: 1 });
    expect(fetch.calls.length).toBe(1);
  });
});
