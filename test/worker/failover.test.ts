import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { FILE_HEADERS, NEGATIVE } from '../conformance/headers.ts';
import type { Fault } from '../fakes/origin/faults.ts';
import { fixtureModules, hello } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { type Answer, askCounting, failure, summary } from './stage.ts';
import { startModferry } from './modferry.ts';

// Which origin is asked next, and what is answered when none is left. A and B have the same
// modules; a fault of either is switched on for one test.

let a: FakeOrigin;
let b: FakeOrigin;
beforeAll(async () => {
  a = await startOrigin({ modules: fixtureModules() });
  b = await startOrigin({ modules: fixtureModules() });
});
afterAll(async () => {
  await a.close();
  await b.close();
});

/** A modferry without any history, with `ORIGINS`, in which A and B stand for the addresses. */
async function withOrigins(text: string): Promise<(target: string) => Promise<Answer>> {
  a.reset();
  b.reset();
  const ORIGINS = text.replaceAll(/\b[AB]\b/g, (name) => (name === 'A' ? a.url : b.url));
  const modferry = await startModferry({ variables: { ORIGINS } });
  onTestFinished(() => modferry.close());
  return (target) => askCounting(modferry, target, { servers: [a, b] });
}

const TABLE = '[{"url":"A"},{"url":"B"}]';
const TARGETS = [
  '@v/list',
  '@v/v1.1.0.info',
  '@v/v1.1.0.mod',
  '@v/v1.1.0.zip',
  '@latest',
  '@v/master.info',
];
const KINDS = ['list', 'info', 'mod', 'zip', 'latest', 'query'] as const;
const GONE: Fault = { status: 410, text: 'not found: gone' };
const TIMED_OUT: Fault = { status: 404, text: 'not found: fetch timed out' };
const LATER: Fault = { status: 429, headers: { 'retry-after': '60' } };

it.each<[string, string, Fault]>([
  ['A|B', 'a 404', 404],
  ['A,B', 'a 404', 404],
  ['A,B', 'a 410', GONE],
  ['A,B', 'a 400', 400],
  [TABLE, 'a 404', 404],
  ['A|B', 'a 500', 500],
  ['A|B', 'a 403', 403],
  ['A|B', 'a 429 with Retry-After', LATER],
  ['A|B', 'a reset', 'reset'],
  ['A|B', 'an HTML page', 'html'],
  ['A|B', 'a body that breaks off', 'truncate'],
  ['A|B', 'a 404 that is a timeout', TIMED_OUT],
  ['A|B', 'a redirect loop', 'redirect-loop'],
  [TABLE, 'a 500', 500],
  [TABLE, 'a 429 with Retry-After', LATER],
])(
  'ORIGINS=%s: after %s from A, B is asked at once and has the answer',
  async (origins, _what, fault) => {
    const ask = await withOrigins(origins);
    a.fault(fault);
    const isAnswer =
      [403, 404, 400].some((status) => fault === status) || fault === GONE || fault === TIMED_OUT;
    for (const [at, end] of TARGETS.entries()) {
      const answer = await ask(`/example.com/hello/${end}`);
      // An origin that failed is asked after the others from then on; a 404 or 403 is no failure.
      const asked = at > 0 && !isAnswer ? 1 : fault === 'redirect-loop' ? 12 : 2;
      expect(summary(answer)).toEqual({ status: 200, ...FILE_HEADERS[KINDS[at] ?? 'list'], asked });
      expect(answer.headers['cache-status']).toContain(new URL(b.url).host);
    }
  },
);

// No other origin may be asked, so A is asked once more where that can help.
it.each<[string, Fault, number, number]>([
  ['a 500', 500, 502, 2],
  ['a 403', 403, 403, 1],
  ['a 429', LATER, 503, 1],
  ['a reset', 'reset', 502, 2],
  ['an HTML page', 'html', 502, 2],
  ['a 404 that is a timeout', TIMED_OUT, 504, 1],
])('ORIGINS=A,B: after %s from A, B is not asked', async (_what, fault, status, asked) => {
  const ask = await withOrigins('A,B');
  a.fault(fault);
  expect(summary(await ask('/example.com/hello/@v/v1.1.0.zip'))).toEqual(failure(status, asked));
  expect(b.count()).toBe(0);
});

it.each(['A|B', 'A,B', TABLE])(
  'ORIGINS=%s: an answer of A is passed on, and B is not asked',
  async (origins) => {
    const ask = await withOrigins(origins);
    const answer = await ask('/example.com/hello/@v/list');
    expect(answer).toMatchObject({ status: 200, text: hello().list, asked: 1 });
    expect(b.count()).toBe(0);
  },
);

const FAULTS: Readonly<Record<string, Fault>> = {
  'a 404': 404,
  'a 410': GONE,
  'a 500': 500,
  'a 502': 502,
  'a 503': 503,
  'a 429 with Retry-After': LATER,
  'a reset': 'reset',
  'a 404 that is a timeout': TIMED_OUT,
};

const COMBINATIONS: readonly (readonly [
  origins: string,
  first: string,
  second: string,
  result: string,
  expected: object,
  text: RegExp,
])[] = [
  ['A|B', 'a 404', 'a 404', 'a 404', failure(404, 2, NEGATIVE), /not found/],
  ['A,B', 'a 404', 'a 404', 'a 404', failure(404, 2, NEGATIVE), /not found/],
  ['A|B', 'a 404', 'a 500', 'an unstored 404', failure(404, 2), /not found/],
  ['A|B', 'a 500', 'a 404', 'an unstored 404', failure(404, 2), /not found/],
  ['A|B', 'a reset', 'a 404', 'an unstored 404', failure(404, 2), /not found/],
  ['A|B', 'a 410', 'a 500', 'an unstored 410', failure(410, 2), /gone/],
  [TABLE, 'a 404', 'a 500', 'an unstored 404', failure(404, 2), /not found/],
  ['A,B', 'a 404', 'a 500', 'a 502', failure(502, 3), /cannot get/],
  ['A,B', 'a 404', 'a reset', 'a 502', failure(502, 3), /connection failed/],
  ['A,B', 'a 404', 'a 429 with Retry-After', 'a 503', failure(503, 2), /cannot get/],
  ['A|B', 'a 500', 'a 502', 'a 502', failure(502, 3), /status 500; .*status 502/],
  ['A|B', 'a 503', 'a 429 with Retry-After', 'a 503', failure(503, 3), /status 503; .*status 429/],
  ['A|B', 'a 500', 'a 404 that is a timeout', 'a 504', failure(504, 3), /fetch timed out/],
];

// Each combination with a modferry without any history, for one kind of file after the other.
it.each(
  COMBINATIONS.map(([origins, first, second, result, expected, text], at) => ({
    origins,
    first,
    second,
    result,
    expected,
    text,
    end: TARGETS[at % TARGETS.length] ?? '',
  })),
)(
  'ORIGINS=$origins: $first from A and $second from B are $result for $end',
  async ({ end, expected, first, origins, second, text }) => {
    const ask = await withOrigins(origins);
    a.fault(FAULTS[first]);
    b.fault(FAULTS[second]);
    const answer = await ask(`/example.com/hello/${end}`);
    expect(summary(answer)).toEqual(expected);
    expect(answer.text).toMatch(text);
  },
);

it('a 404 that not every mirror answered is not stored', async () => {
  const ask = await withOrigins('A|B');
  a.remove('/example.com/hello/@v/v1.1.0.info');
  b.fault(500);
  expect((await ask('/example.com/hello/@v/v1.1.0.info')).status).toBe(404);
  b.fault(undefined);
  expect(await ask('/example.com/hello/@v/v1.1.0.info')).toMatchObject({ status: 200, asked: 2 });
});

it.each(TARGETS)(
  'two origins that refuse connections are one 502 that names both for %s',
  async (end) => {
    const ask = await withOrigins('A|B');
    await a.stop();
    await b.stop();
    try {
      const answer = await ask(`/example.com/hello/${end}`);
      expect(summary(answer)).toEqual(failure(502, 0));
      for (const { url } of [a, b])
        expect(answer.text).toContain(`${new URL(url).host}: connection failed`);
    } finally {
      await a.restart();
      await b.restart();
    }
  },
);

it('of three origins, a comma ends a group of mirrors, whose 404 then no longer counts', async () => {
  const ask = await withOrigins('A,B|http://127.0.0.1:9');
  a.fault(404);
  b.fault(404);
  expect(summary(await ask('/example.com/hello/@v/list'))).toEqual(failure(404, 2));
  b.fault(500);
  expect(summary(await ask('/example.com/hello/@v/list'))).toEqual(failure(502, 3));
});

it('an origin with `modules` is asked for these alone, and one with other `regions` after the others', async () => {
  const near = await withOrigins(
    '[{"url":"A","regions":["CN"]},{"url":"B","modules":"example.com/hello,*.corp.example","public":true}]',
  );
  expect((await near('/gopkg.in/yaml.v2/@v/list')).asked).toBe(1);
  expect({ a: a.count(), b: b.count() }).toEqual({ a: 1, b: 0 });
  a.fault(404);
  expect((await near('/example.com/hello/v2/@v/list')).status).toBe(200);
  expect((await near('/git.corp.example/tool/@v/list')).status).toBe(404);
  expect(b.requests.map(({ path }) => path)).toEqual([
    '/example.com/hello/v2/@v/list',
    '/git.corp.example/tool/@v/list',
  ]);
  expect((await near('/example.com/dep/@v/list')).status).toBe(404);
  expect(b.count()).toBe(2);
});

it('a module that no origin serves is a 404 that may not be stored, and no origin is asked', async () => {
  const ask = await withOrigins('[{"url":"A","modules":["*.corp.example"]}]');
  const answer = await ask('/example.com/hello/@v/list');
  expect(summary(answer)).toEqual(failure(404, 0));
  expect(answer.text).toContain('no origin of this proxy serves it');
});
