import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHECKSUM_DATABASE, NO_CHECKSUM_DATABASE } from '../conformance/rows/checksum-database.ts';
import { CLIENT_HEADERS } from '../conformance/rows/client-headers.ts';
import { ERROR_TEXTS } from '../conformance/rows/error-texts.ts';
import { INVALID_FILES } from '../conformance/rows/invalid-files.ts';
import { GOOD_INPUT } from '../conformance/rows/good-input.ts';
import { NEGATIVE, TEXT } from '../conformance/headers.ts';
import { HTTP_FEATURES } from '../conformance/rows/http-features.ts';
import { MALFORMED_PATHS } from '../conformance/rows/malformed-paths.ts';
import { ORIGIN_ERRORS } from '../conformance/rows/origin-errors.ts';
import type { RawAnswer } from '../conformance/raw-request.ts';
import { type Expected, type Row, type Step, type Target, titleOf } from '../conformance/row.ts';
import { runRow } from '../conformance/run-row.ts';
import { SLOW_ORIGINS } from '../conformance/rows/slow-origins.ts';
import { get, nearEntry, nothingStored, sent } from '../conformance/steps.ts';
import { UNUSUAL_PATHS } from '../conformance/rows/unusual-paths.ts';
import type { SeenRequest } from '../fakes/origin/fake-server.ts';
import { hashGoMod } from '../fakes/zip/dirhash.ts';
import { writeZip } from '../fakes/zip/zip-writer.ts';

// The runner of conformance rows finds what is wrong: each difference between an answer and what
// was expected of it is a problem.

const ID = '01234567-89ab-cdef-0123-456789abcdef';
const GO_MOD = 'module example.com/m\n';
const HEADERS = {
  'content-type': TEXT,
  'cache-control': NEGATIVE,
  'cache-status': 'modferry; hit',
  'x-request-id': ID,
  'x-content-type-options': 'nosniff',
  etag: '"one"',
};
const GOOD: RawAnswer = { status: 200, headers: HEADERS, body: Buffer.from(GO_MOD), broken: false };
const ERROR: RawAnswer = {
  ...GOOD,
  status: 404,
  body: Buffer.from(`not found (request ${ID})\n`),
};

interface Scene {
  /** The answers, one after the other; the last one to every further request. */
  readonly answers: readonly RawAnswer[];
  /** How many requests each answer costs. Default 1. */
  readonly requests?: number;
}

const SEEN: SeenRequest = {
  method: 'GET',
  url: '/example.com/m/@v/v1.0.0.mod',
  path: '/example.com/m/@v/v1.0.0.mod',
  headers: { host: 'origin', 'user-agent': 'modferry' },
  state: 'answered',
  status: 200,
};

function targetOf({ answers, requests = 1 }: Scene): Target & { readonly calls: string[] } {
  const seen: SeenRequest[] = [];
  const calls: string[] = [];
  const left = [...answers];
  const upstream = {
    url: 'http://127.0.0.1:1234',
    fault: () => void calls.push('fault'),
    stop: async () => void calls.push('stop'),
    restart: async () => void calls.push('restart'),
  };
  return {
    calls,
    async request() {
      for (let time = 0; time < requests; time++) seen.push({ ...SEEN });
      const answer = left.length > 1 ? left.shift() : left[0];
      return answer ?? GOOD;
    },
    originRequests: () => seen,
    upstream: () => upstream,
    publish: ({ path }) => void calls.push(`publish ${path}`),
    override: () => void calls.push('override'),
    mend: () => void calls.push('mend'),
    reset: () => void calls.push('reset'),
    expire: async () => void calls.push('expire'),
    empty: async () => void calls.push('empty'),
    remove: async (key) => void calls.push(`remove ${key}`),
    nearEntrySeconds: async () => 60,
    keys: async () => ['example.com/m/@v/list', 'example.com/other/@v/list'],
    awaitKeys: async () => void calls.push('await'),
  };
}

const TARGET = '/example.com/m/@v/v1.0.0.mod';
const rowOf = (...steps: Step[]): Row => ({ row: 1, title: 'a row', steps });
const problemsOf = (expected: Expected, answer = GOOD, requests = 1) =>
  runRow(rowOf(get(TARGET, expected)), targetOf({ answers: [answer], requests }));

describe('an answer', () => {
  it('that is as expected has no problem', async () => {
    const expected: Expected = {
      status: 200,
      type: TEXT,
      cache: NEGATIVE,
      body: GO_MOD,
      bytes: GO_MOD.length,
      text: 'module',
      h1: hashGoMod(GO_MOD),
      headers: { etag: /^"/, location: undefined },
      requests: 1,
      sent: { target: SEEN.url, headerNames: ['host', 'user-agent'], without: /secret/ },
    };
    expect(await problemsOf(expected)).toEqual([]);
    expect(await problemsOf({ status: 404 }, ERROR)).toEqual([]);
  });

  it.each<[what: string, expected: Partial<Expected>, problem: string]>([
    ['status', { status: 404 }, 'the status is 200, expected 404'],
    ['Content-Type', { type: 'text/html' }, 'the Content-Type is "text/plain; charset=utf-8"'],
    ['Cache-Control', { cache: 'no-store' }, 'the Cache-Control is "public'],
    ['body', { body: 'other' }, 'the body is "module example.com/m\\n", expected "other"'],
    ['length', { bytes: 5 }, 'the length is 21, expected 5'],
    ['text', { text: 'other' }, 'expected "other" in it'],
    ['text by expression', { text: /other/ }, 'expected /other/ in it'],
    ['hash', { h1: 'h1:other' }, 'the h1 hash is "h1:'],
    ['header', { headers: { etag: '"two"' } }, 'the header etag is "\\"one\\"", expected "\\"two'],
    ['header by expression', { headers: { etag: /two/ } }, 'expected /two/'],
    ['header that must be absent', { headers: { etag: undefined } }, 'expected undefined'],
    ['header that is absent', { headers: { age: '1' } }, 'the header age is undefined'],
    ['count of requests', { requests: 0 }, 'requests to an upstream: 1, expected 0'],
    ['count beyond a bound', { requests: { atMost: 0 } }, '1, expected at most 0'],
    ['broken connection', { broken: true }, 'the break of the connection is false, expected true'],
    ['target at the upstream', { sent: { target: '/other' } }, 'expected "/other"'],
    [
      'headers at the upstream',
      { sent: { target: SEEN.url, headerNames: ['host'] } },
      'expected ["host"]',
    ],
    [
      'secret at the upstream',
      { sent: { target: SEEN.url, without: /modferry/ } },
      'the upstream got {"host"',
    ],
    ['named upstream', { names: 'origin' }, 'expected 127.0.0.1:1234 in it'],
    ['unknown earlier answer', { like: { to: 'x' } }, 'no earlier answer is called "x"'],
    ['unknown longer answer', { startOf: 'x' }, 'which is not the start of "x"'],
  ])('with another %s is a problem', async (_, expected, problem) => {
    const problems = await problemsOf({ status: 200, ...expected });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`Step 1: GET ${TARGET}: `);
    expect(problems[0]).toContain(problem);
  });

  it.each<[what: string, answer: RawAnswer, problem: string]>([
    ['no Cache-Control', without('cache-control'), 'there is no Cache-Control'],
    ['no Cache-Status', without('cache-status'), 'Cache-Status is undefined'],
    ['no request id', without('x-request-id'), 'X-Request-Id is undefined, not a UUID'],
    ['no nosniff', without('x-content-type-options'), 'X-Content-Type-Options is undefined'],
    [
      'a Location',
      { ...GOOD, headers: { ...HEADERS, location: '/x' } },
      'there is a Location, "/x"',
    ],
  ])('with %s is a problem whatever was asked', async (_, answer, problem) => {
    expect(await problemsOf({ status: 200 }, answer)).toEqual([
      `Step 1: GET ${TARGET}: ${problem}`,
    ]);
  });

  it.each<[what: string, change: Partial<RawAnswer>, problem: string]>([
    [
      'another type',
      { headers: { ...HEADERS, 'content-type': 'text/html' } },
      'the Content-Type of an error is "text/html"',
    ],
    ['600 bytes', errorText('x'.repeat(600)), 'an error text of '],
    ['bytes that are not UTF-8', errorText(Buffer.from([0xff])), 'not UTF-8'],
    ['two lines', errorText('a\nb'), 'not one printable line'],
    ['a terminal escape', errorText('\u001b[31m'), 'not one printable line'],
    ['no request id', { body: Buffer.from('not found\n') }, 'without the id of its request'],
  ])('that is an error with %s is a problem', async (_, change, problem) => {
    const problems = await problemsOf({ status: 404 }, { ...ERROR, ...change });
    expect(problems.join()).toContain(problem);
  });
});

function without(name: string): RawAnswer {
  const headers = Object.fromEntries(Object.entries(HEADERS).filter(([other]) => other !== name));
  return { ...GOOD, headers };
}

function errorText(text: string | Uint8Array): Partial<RawAnswer> {
  return { body: Buffer.concat([Buffer.from(text), Buffer.from(` (request ${ID})\n`)]) };
}

describe('a zip', () => {
  const zip = writeZip([{ name: 'example.com/m@v1.0.0/go.mod', content: GO_MOD }]);
  const answer = { ...GOOD, body: Buffer.from(zip) };

  it('with an entry elsewhere is a problem', async () => {
    const entriesBelow = 'example.com/m@v1.0.0/';
    expect(await problemsOf({ status: 200, entriesBelow }, answer)).toEqual([]);
    const problems = await problemsOf({ status: 200, entriesBelow: 'example.com/n' }, answer);
    expect(problems.join()).toContain('the zip has the entry "example.com/m@v1.0.0/go.mod"');
  });
});

describe('a later answer', () => {
  const other = { ...GOOD, headers: { ...HEADERS, etag: '"two"' }, body: Buffer.from('other') };
  const compared = (second: RawAnswer, expected: Partial<Expected>) =>
    runRow(
      rowOf(
        get(TARGET, { status: 200 }, { as: 'first' }),
        get(TARGET, { status: 200, ...expected }),
      ),
      targetOf({ answers: [GOOD, second] }),
    );

  it.each<[what: string, expected: Partial<Expected>, problem: string]>([
    ['body', { like: { to: 'first' } }, 'and of "first" it was "module'],
    ['ETag', { like: { to: 'first', body: false, headers: ['etag'] } }, 'the header etag is'],
    [
      'lasting header',
      { like: { to: 'first', body: false, headers: 'lasting' } },
      'the header etag is',
    ],
    ['start', { startOf: 'first' }, 'which is not the start of "first"'],
  ])('with another %s than the earlier one is a problem', async (_, expected, problem) => {
    expect(await compared(GOOD, expected)).toEqual([]);
    const problems = await compared(other, expected);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('Step 2: ');
    expect(problems[0]).toContain(problem);
  });
});

const runAfterRequest = (step: Step) =>
  runRow(rowOf(get(TARGET, { status: 200 }), step), targetOf({ answers: [GOOD] }));

const runIndependent = (target: string) =>
  runRow(
    { ...rowOf(get(target, { status: 200, requests: 1 })), isIndependent: true },
    targetOf({ answers: [GOOD] }),
  );

describe('a step', () => {
  it.each<[what: string, step: Step, wrong: Step, problem: string]>([
    [
      'about the near tier',
      nearEntry('file', 'k', 60),
      nearEntry('file', 'k', { atMost: 30 }),
      'seconds of k in the near tier: 60, expected at most 30',
    ],
    [
      'about the keys of a tier',
      nothingStored('example.com/none/'),
      nothingStored('example.com/m/'),
      'the durable tier holds ["example.com/m/@v/list"], expected []',
    ],
    [
      'about what was sent',
      sent('v1.0.0', 1),
      sent('v1.0.0', 0),
      'requests to an upstream for v1.0.0: 1, expected 0',
    ],
  ])('%s finds a problem', async (_, step, wrong, problem) => {
    expect(await runAfterRequest(step)).toEqual([]);
    expect(await runAfterRequest(wrong)).toEqual([`Step 2: ${problem}`]);
  });

  it('after one with a problem is not taken, and what was stopped is started again', async () => {
    const target = targetOf({ answers: [GOOD] });
    const row = rowOf({ do: 'stop', at: 'origin' }, get(TARGET, { status: 404 }), { do: 'expire' });
    expect(await runRow(row, target)).toHaveLength(1);
    expect(target.calls).toEqual(['stop', 'restart', 'reset']);
  });

  it('counts only the requests for its own path where a row is independent', async () => {
    expect(await runIndependent(TARGET)).toEqual([]);
    expect((await runIndependent('/example.com/n/@v/list')).join()).toContain('0, expected 1');
  });

  it('with several requests at a time checks each of them', async () => {
    const row = rowOf(get(TARGET, { status: 200, requests: 2 }, { times: 2 }));
    expect(await runRow(row, targetOf({ answers: [GOOD] }))).toEqual([]);
    const wrong = await runRow(row, targetOf({ answers: [GOOD, ERROR] }));
    expect(wrong.join()).toContain('the status is 404');
  });
});

describe('the rows', () => {
  const all: readonly Row[] = [
    ...CHECKSUM_DATABASE,
    ...NO_CHECKSUM_DATABASE,
    ...CLIENT_HEADERS,
    ...ERROR_TEXTS,
    ...GOOD_INPUT,
    ...INVALID_FILES,
    ...HTTP_FEATURES,
    ...MALFORMED_PATHS,
    ...ORIGIN_ERRORS,
    ...SLOW_ORIGINS,
    ...UNUSUAL_PATHS,
  ];

  it('have numbers that stand in docs/conformance.md', () => {
    const document = join(import.meta.dirname, '..', '..', 'docs', 'conformance.md');
    const lines = readFileSync(document, 'utf8').split('\n');
    const documented = new Set(lines.flatMap((line) => /^\| (\d+) \|/.exec(line)?.[1] ?? []));
    const numbers = all.flatMap(({ row }) => row).map(String);
    expect(numbers.filter((number) => !documented.has(number))).toEqual([]);
  });

  it('have titles of their own', () => {
    const titles = all.map(titleOf);
    expect(titles.filter((title, at) => titles.indexOf(title) !== at)).toEqual([]);
  });

  it('have modules of their own', () => {
    const paths = all.flatMap(({ modules = [] }) => modules.map(({ path }) => path));
    expect(paths.filter((path, at) => paths.indexOf(path) !== at)).toEqual([]);
  });
});
