import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askEffects, openHttpDriver } from '../../../test/fakes/effects/ask.ts';
import { pattern } from '../../../test/fakes/effects/byte-source.ts';
import { fakeClock } from '../../../test/fakes/effects/clock.ts';
import { type FakeFetch, fakeFetch, never, originOf } from '../../../test/fakes/effects/fetch.ts';
import { directoryDriver, etagOf } from '../../../test/fakes/origin/directory-driver.ts';
import { ranged } from '../../../test/fakes/zip/ranged.ts';
import { failed, success } from '../../effects/result.ts';
import type { OriginEvent } from '../events.ts';
import { wrongContent } from '../failure.ts';
import { HealthRegistry } from '../health/registry.ts';
import type { Origin } from '../origin.ts';
import type { OriginBody } from '../request/body.ts';
import type { OpenDriver } from '../request/driver.ts';
import type { Answer } from './answer.ts';
import { askOrigins } from './ask.ts';

const question = {
  path: '/x',
  accept: async (body: { all(limit: number): Promise<Uint8Array> }) =>
    success(new TextDecoder().decode(await body.all(100))),
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
    // mirrors: a 404 counts also when the others are down, and is not unanimous
    ['a|b', { a: '404', b: 'down' }, 'ab', '404 of a, not unanimous'],
    ['a|b', { a: 'down', b: '404' }, 'ab', '404 of b, not unanimous'],
    // `,` moves on after 404 and 410 alone; a lone origin that failed is asked once more
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
    expect(answer.effort.attempts).toBe(asked.length);
    const summary =
      answer.kind === 'accepted'
        ? `accepted by ${answer.origin}`
        : answer.kind === 'missing'
          ? `${answer.missing.status} of ${answer.missing.origin}${answer.isUnanimous ? '' : ', not unanimous'}`
          : answer.kind;
    expect(summary).toBe(verdict);
  });

  it('lists every failure, in order', async () => {
    const fetch = fakeFetch({ 'https://a/': REPLY.down, 'https://b/': REPLY[500] });
    expect(await answered(origins('a|b'), { fetch })).toEqual({
      kind: 'failed',
      failures: [
        { origin: 'a', reason: { kind: 'unreachable' } },
        { origin: 'b', reason: { kind: 'status', status: 500 } },
      ],
      effort: { attempts: 3, hedged: false, breakers: {} },
    });
  });

  it('over no origins fails without a failure', async () => {
    const effects = askEffects();
    expect(await askOrigins([], question, effects)).toEqual({
      kind: 'failed',
      failures: [],
      effort: { attempts: 0, hedged: false, breakers: {} },
    });
  });
});

describe('the time for all origins', () => {
  it('is shared: an origin whose turn comes after its end is not asked', async () => {
    const clock = fakeClock();
    const fetch = fakeFetch({ 'https://a/': never, 'https://b/': REPLY.ok });
    const list = [
      originOf('a', { fallback: 'any', limits: { headersMs: 60_000, stallMs: 60_000 } }),
      originOf('b'),
    ];
    const health = new HealthRegistry({ clock, random: () => 0.5 });
    while (health.hedgeBudget.spend());
    const asked = askOrigins(
      list,
      question,
      askEffects({ fetch, clock, health, remainingMs: 900 }),
    );
    await clock.advance(899);
    expect(fetch.calls.length).toBe(1);
    await clock.advance(1);
    expect(await asked).toMatchObject({
      kind: 'failed',
      effort: { attempts: 1 },
      failures: [
        { origin: 'a', reason: { kind: 'timeout', ms: 900 } },
        { origin: 'b', reason: { kind: 'not asked', because: 'the time was up' } },
      ],
    });
    expect(fetch.calls.map(({ signal }) => signal.aborted)).toEqual([true]);
  });
});

const overloaded = (seconds: string) => () =>
  new Response('', { status: 503, headers: { 'Retry-After': seconds } });

describe('a lone origin', () => {
  it.each([
    ['that is down', REPLY.down, 0, 50],
    ['that is down', REPLY.down, 0.5, 150],
    ['that answers 500', REPLY[500], 1, 250],
    ['that demands a pause of one second', overloaded('1'), 0.5, 1000],
    ['that demands two', overloaded('2'), 0.5, 2000],
  ])(
    '%s is asked once more, with the random number %s after %i ms',
    async (_, reply, random, pause) => {
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
      expect(await asked).toMatchObject({ kind: 'accepted', effort: { attempts: 2 } });
    },
  );

  it('is asked twice and not three times', async () => {
    const clock = fakeClock();
    const fetch = fakeFetch({ 'https://a/': REPLY[500] });
    const asked = askOrigins(
      origins('a'),
      question,
      askEffects({ fetch, clock, remainingMs: 25_000 }),
    );
    await clock.advance(60_000);
    expect(await asked).toMatchObject({ kind: 'failed', effort: { attempts: 2 } });
    expect(fetch.calls.length).toBe(2);
  });

  it.each([
    ['it answers 404', REPLY[404], 25_000],
    ['it demands a pause of more than two seconds', overloaded('3'), 25_000],
    ['the pause would take all the time that is left', overloaded('2'), 2_000],
    [
      'it answers 404 and means a timeout',
      () => new Response('fetch timed out', { status: 404 }),
      25_000,
    ],
  ])('is not asked again when %s', async (_, reply, remainingMs) => {
    const fetch = fakeFetch({ 'https://a/': reply });
    const effects = askEffects({ fetch, remainingMs });
    expect((await askOrigins(origins('a'), question, effects)).effort.attempts).toBe(1);
  });

  it('is not asked again when it took too long', async () => {
    const clock = fakeClock();
    const fetch = fakeFetch({ 'https://a/': never });
    const asked = askOrigins(
      origins('a'),
      question,
      askEffects({ fetch, clock, remainingMs: 25_000 }),
    );
    await clock.advance(25_000);
    expect(await asked).toMatchObject({ kind: 'failed', effort: { attempts: 1 } });
  });
});

it('of several origins that failed, the best one is asked once more when no other is left', async () => {
  const fetch = fakeFetch({ 'https://a/': [REPLY[500], REPLY.ok], 'https://b/': REPLY[500] });
  expect(await answered(origins('a|b'), { fetch })).toMatchObject({
    kind: 'accepted',
    origin: 'a',
    effort: { attempts: 3 },
  });
});

const wrong = () => new Response('wrong');

const refuse = async () => failed(wrongContent('a page'));

describe('a file with another hash than the log has', () => {
  const hashes = { database: 'sum.example', expected: 'h1:right', found: 'h1:wrong' };
  const checked = {
    path: '/x',
    async accept(body: { all(limit: number): Promise<Uint8Array> }) {
      const text = new TextDecoder().decode(await body.all(100));
      return text === 'wrong' ? failed({ kind: 'mismatch', hashes } as const) : success(text);
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
      failures: [{ origin: 'a', reason: { kind: 'mismatch', hashes } }],
      effort: { attempts: 2, hedged: false, breakers: {} },
    });
  });

  it.each([
    ['a|b', 404],
    ['a,b', 410],
  ])('is not hidden by another origin in %s that has no such file: %i', async (list, status) => {
    const no = () => new Response('no', { status });
    expect(await ask(list, { 'https://a': wrong, 'https://b': no }).answer).toMatchObject({
      kind: 'failed',
      failures: [{ reason: { kind: 'mismatch', hashes } }],
    });
    expect(await ask(list, { 'https://a': no, 'https://b': wrong }).answer).toMatchObject({
      kind: 'failed',
      failures: [{ reason: { kind: 'mismatch', hashes } }],
    });
  });

  it('or a page of a lone origin that then answers 404 is no 404', async () => {
    const replies = [() => new Response('<html>'), () => new Response('', { status: 404 })];
    const clock = fakeClock();
    const effects = askEffects({ fetch: fakeFetch({ 'https://a': replies }), clock });
    const answer = askOrigins(origins('a'), { path: '/x', accept: refuse }, effects);
    await clock.advance(1_000);
    expect(await answer).toMatchObject({
      kind: 'failed',
      failures: [{ reason: wrongContent('a page') }],
    });
  });

  it('is not asked of a lone origin a second time', async () => {
    const { answer, fetch } = ask('a', { 'https://a': wrong });
    expect(await answer).toMatchObject({ kind: 'failed', effort: { attempts: 1 } });
    expect(fetch.calls.length).toBe(1);
  });
});

async function restOf(body: OriginBody): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  do parts.push(await body.fill(new ArrayBuffer(256 * 1024)));
  while (parts.at(-1)?.length);
  return Buffer.concat(parts);
}

describe('an HTTP origin and one that is a directory', () => {
  const ZIP = pattern(3 * 1024 * 1024 + 7);
  const PATH = '/github.com/%21azure/sdk/@v/v1.0.0.zip';
  const http = originOf('http');
  const directory = originOf('directory', { url: 'directory:' });
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'modferry-directory-'));
    const file = join(root, 'github.com/!azure/sdk/@v/v1.0.0.zip');
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, ZIP);
  });
  afterAll(() => rm(root, { recursive: true }));

  /** Asks for a zip, of which `accept` reads the first megabyte. */
  function askBoth(list: readonly Origin[], fetch: FakeFetch, path = PATH) {
    const clock = fakeClock();
    const openHttp = openHttpDriver({ fetch, clock });
    const openDriver: OpenDriver = (origin) =>
      origin === directory ? directoryDriver(root) : openHttp(origin);
    const events: OriginEvent[] = [];
    const emit = (event: OriginEvent) => void events.push(event);
    const question = {
      path,
      policy: { lane: 'bulk', resume: 'by-digest' } as const,
      accept: async (body: OriginBody) => success({ body, start: await body.start(1024 * 1024) }),
    };
    const answer = askOrigins(list, question, askEffects({ clock, openDriver, emit }));
    return { answer, clock, events };
  }

  it.each([
    ['an HTTP origin that is down', [http, directory], { 'https://http/': REPLY.down }],
    ['an HTTP origin without the file', [http, directory], { 'https://http/': REPLY[404] }],
  ])('%s is followed by the directory', async (_, list, replies) => {
    const { answer } = askBoth(list, fakeFetch(replies));
    expect(await answer).toMatchObject({
      kind: 'accepted',
      origin: 'directory',
      effort: { attempts: 2 },
    });
  });

  it('a directory without the file is followed by the HTTP origin', async () => {
    const fetch = fakeFetch({ 'https://http/': ranged(ZIP) });
    const { answer } = askBoth([directory, http], fetch, '/example.com/other/@v/v1.0.0.zip');
    expect(await answer).toMatchObject({ kind: 'accepted', origin: 'http' });
  });

  it.each([
    ['with its tag, by range', etagOf(ZIP), ['http', 'directory']],
    ['with another tag, by digest', '"other"', ['directory']],
  ])('a body that breaks off is continued from the directory %s', async (_, etag, names) => {
    const broken = ranged(ZIP, { etag, breaks: [2 * 1024 * 1024] });
    const fetch = fakeFetch({ 'https://http/': [broken, new TypeError('refused')] });
    const { answer, clock, events } = askBoth([http, directory], fetch);
    const found = await answer;
    if (found.kind !== 'accepted') throw new Error(`it is ${found.kind}`);
    const { body, start } = found.value;
    const rest = restOf(body);
    await clock.advance(1_000);
    expect(Buffer.compare(Buffer.concat([start, await rest]), ZIP)).toBe(0);
    expect(body.originNames).toEqual(names);
    expect(events).toEqual([
      {
        event: 'resume',
        path: PATH,
        origin: 'http',
        from: 'directory',
        offset: 2 * 1024 * 1024,
        tries: 2,
        outcome: 'resumed',
      },
    ]);
  });
});
