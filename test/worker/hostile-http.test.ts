import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { hello } from '../fakes/origin/modules.ts';
import { failure, FILE_HEADERS, NEGATIVE, type Stage, startStage, summary } from './conformance.ts';

// Rows 109 to 116 of the conformance list: methods, headers and floods.

let stage: Stage;
beforeAll(async () => {
  stage = await startStage();
});
beforeEach(() => stage.origin.reset());
afterAll(() => stage.close());

const LIST = '/example.com/hello/@v/list';
const LIST_BODY = hello().list;

it.each(['POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND', 'OPTIONS', 'TRACE'])(
  'rows 109 and 110: %s is 405 with the methods that are allowed',
  async (method) => {
    for (const target of [LIST, '/', '/sumdb/sum.golang.org/supported', '/nothing']) {
      const answer = await stage.ask(target, { method });
      expect(summary(answer)).toEqual(failure(405, 0));
      expect(answer.headers['allow']).toBe('GET, HEAD');
      expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
    }
  },
);

it.each([
  ['a body', { body: 'x'.repeat(10_000) }],
  ['Expect: 100-continue', { headers: { Expect: '100-continue' } }],
  ['60 kB of headers', { headers: { 'X-Large': 'x'.repeat(60_000) } }],
  [
    'three hundred headers',
    { headers: Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`X-${at}`, 'x'])) },
  ],
])('row 111: GET with %s is answered as without', async (_what, options) => {
  expect(await stage.ask(LIST, options)).toMatchObject({ status: 200, text: LIST_BODY });
});

it('row 112: another Host and an absolute target lead to the same file and the same entry', async () => {
  const { path, list } = stage.freshModule();
  const first = await stage.ask(`/${path}/@v/v1.1.0.mod`, { headers: { Host: 'evil.example' } });
  const second = await stage.ask(`/${path}/@v/v1.1.0.mod`);
  const absolute = await stage.ask(`http://other.example/${path}/@v/v1.1.0.mod`);
  expect([first, second, absolute].map(({ status, asked }) => [status, asked])).toEqual([
    [200, 1],
    [200, 0],
    [200, 0],
  ]);
  expect(await stage.ask(`http://other.example/${path}/@v/list`)).toMatchObject({
    status: 200,
    text: list,
  });
});

it('row 113: headers that name another host or path are ignored', async () => {
  const answer = await stage.ask(LIST, {
    headers: {
      'X-Forwarded-Host': 'evil.example',
      'X-Forwarded-Proto': 'gopher',
      'X-Original-URL': '/github.com/!azure/!thing/@v/list',
      'X-Rewrite-URL': '/github.com/!azure/!thing/@v/list',
      Forwarded: 'host=evil.example',
    },
  });
  expect(answer).toMatchObject({ status: 200, text: LIST_BODY });
  expect(stage.origin.count('azure')).toBe(0);
});

it.each(['@v/list', '@latest', '@v/main.info', '@v/v1.1.0.info', '@v/v1.1.0.mod', '@v/v1.1.0.zip'])(
  'row 114: nothing that the client sent reaches the origin with a request for %s',
  async (end) => {
    const { path } = stage.freshModule();
    const answer = await stage.ask(`/${path}/${end}?token=secret`, {
      headers: {
        Authorization: 'Basic c2VjcmV0OnNlY3JldA==',
        Cookie: 'session=secret',
        'Proxy-Authorization': 'secret',
        Referer: 'https://secret.example/',
        'User-Agent': 'secret-agent',
        'X-Custom': 'secret',
        'CF-Connecting-IP': '203.0.113.7',
      },
    });
    expect(answer).toMatchObject({ status: 200, asked: 1 });
    const [request] = stage.origin.requests;
    expect(request?.url).toBe(`/${path}/${end}`);
    expect(JSON.stringify(request?.headers)).not.toMatch(/secret|c2VjcmV0|203\.0\.113/);
    expect(Object.keys(request?.headers ?? {}).toSorted()).toEqual([
      'accept-encoding',
      // These two come of `cache: "no-store"`: the platform's cache between here and the origin is
      // not used.
      'cache-control',
      // The zone that the Worker runs in: the platform adds it to every request.
      'cf-worker',
      'host',
      'pragma',
      'user-agent',
    ]);
  },
);

it('row 115: two hundred unknown versions are one question each, and leave nothing in bucket and KV', async () => {
  const { path } = stage.freshModule();
  const names = Array.from(
    { length: 200 },
    () => `v0.0.0-20240101000000-${randomBytes(6).toString('hex')}`,
  );
  const answers = await stage.askAll(
    path,
    names.map((name, at) => `@v/${name}.${['info', 'mod', 'zip'][at % 3]}`),
  );
  expect(answers.map(summary)).toEqual(names.map(() => failure(404, 1, NEGATIVE)));
  expect((await stage.bucketKeys()).filter((key) => key.startsWith(path))).toEqual([]);
  const namespace = await stage.modferry.miniflare.getKVNamespace('META');
  expect((await namespace.list({ prefix: path })).keys).toEqual([]);
});

it.each(['info', 'mod', 'zip'] as const)(
  'row 116: no-cache from the client does not fetch a stored .%s again',
  async (kind) => {
    const { path } = stage.freshModule();
    await stage.ask(`/${path}/@v/v1.1.0.${kind}`);
    for (const headers of [{ 'Cache-Control': 'no-cache' }, { Pragma: 'no-cache' }]) {
      const answer = await stage.ask(`/${path}/@v/v1.1.0.${kind}`, { headers });
      expect(summary(answer)).toEqual({ status: 200, ...FILE_HEADERS[kind], asked: 0 });
    }
  },
);
