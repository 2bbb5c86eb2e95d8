import { describe, expect, it } from 'vitest';
import { fakeModferry, type FakeModferry } from '../../../test/fakes/modferry.ts';
import { memoryShared } from '../../../test/fakes/store/shared-state.ts';
import { as, TOKENS, tokenOf } from '../../../test/fakes/tokens.ts';
import { moduleZip } from '../../../test/fakes/zip/module-zip.ts';
import { writeZip } from '../../../test/fakes/zip/zip-writer.ts';
import type { AdminEvent } from '../../access/events.ts';
import { SCOPES } from '../../access/scope.ts';
import { createModferry } from '../../modferry.ts';
import { asInWorkerd } from '../../platform/node/fetch.ts';

const TOOL = 'corp.example/tool';
const API = '/-/api/modules';
const FIRST = moduleZip(TOOL, 'v1.0.0');
const OTHER = moduleZip(TOOL, 'v1.0.0', { 'go.mod': `module ${TOOL}\n`, 'b.go': 'package b\n' });

function start(): FakeModferry {
  return fakeModferry({ variables: { PRIVATE: 'corp.example/*' } });
}

interface Put {
  readonly headers?: Readonly<Record<string, string>>;
  readonly at?: string;
}

/** A body as workerd has it. */
function streamOf(body: Uint8Array<ArrayBuffer>): ReadableStream | null {
  return asInWorkerd(new Response(body)).body;
}

async function put(
  modferry: FakeModferry,
  body: Uint8Array<ArrayBuffer> | undefined,
  { at = `${TOOL}/@v/v1.0.0.zip`, headers = as('publish') }: Put = {},
) {
  const response = await modferry.request(`${API}/${at}`, {
    method: 'PUT',
    headers,
    ...(body && { body: streamOf(body), duplex: 'half' }),
  });
  const answer = {
    status: response.status,
    headers: response.headers,
    text: await response.text(),
  };
  await modferry.idle();
  return answer;
}

async function send(modferry: FakeModferry, method: string, path: string, headers = as('admin')) {
  const response = await modferry.request(`${API}/${path}`, { method, headers });
  const answer = {
    status: response.status,
    headers: response.headers,
    text: await response.text(),
  };
  await modferry.idle();
  return answer;
}

function adminEvents({ events }: FakeModferry): readonly AdminEvent[] {
  return events.flatMap(({ event }) => (event.event === 'admin' ? [event] : []));
}

/** The keys in the bucket, without what modferry keeps for itself. */
function keys({ tiers }: FakeModferry): readonly string[] {
  return [...tiers.durable.files.keys()].filter((key) => !key.startsWith('.modferry/')).toSorted();
}

const infoReply = () => new Response('{"Version":"v1.0.0"}');
const listReply = () => new Response('v1.0.0\n');

const HOSTED = ['info', 'mod', 'zip', 'ziphash'].map((kind) => `hosted/${TOOL}/@v/v1.0.0.${kind}`);

describe('PUT of a version', () => {
  it('answers 201, and 200 for the same bytes again', async () => {
    const modferry = start();
    const first = await put(modferry, FIRST);
    expect([first.status, first.headers.get('Content-Type')]).toEqual([201, 'application/json']);
    expect(JSON.parse(first.text)).toMatchObject({ module: TOOL, version: 'v1.0.0' });
    expect((await put(modferry, FIRST)).status).toBe(200);
    expect(keys(modferry)).toEqual(HOSTED);
  });

  it('answers 409 for other bytes, and the version stays', async () => {
    const modferry = start();
    await put(modferry, FIRST);
    const { status, text } = await put(modferry, OTHER);
    expect([status, text]).toEqual([409, expect.stringContaining('with other bytes')]);
    const zip = await modferry.request(`/${TOOL}/@v/v1.0.0.zip`, { headers: as('private') });
    expect(new Uint8Array(await zip.arrayBuffer())).toEqual(FIRST);
  });

  it('answers 409 for the same files in another zip: the bytes count', async () => {
    const modferry = start();
    await put(modferry, FIRST);
    const again = new Uint8Array(
      writeZip([
        { name: `${TOOL}@v1.0.0/go.mod`, content: `module ${TOOL}\n`, method: 'store' },
        { name: `${TOOL}@v1.0.0/tool.go`, content: 'package tool\n', method: 'store' },
      ]),
    );
    const { status, text } = await put(modferry, again);
    expect([status, text]).toEqual([409, expect.stringContaining('a zip of the same files')]);
  });

  it('leaves nothing of an upload behind', async () => {
    const modferry = start();
    await put(modferry, FIRST);
    await put(modferry, moduleZip(TOOL, 'v9.9.9'));
    const left = [...modferry.tiers.durable.files.keys()].filter((key) => key.includes('uploads'));
    expect(left).toEqual([]);
  });

  const big = { ...as('publish'), 'Content-Length': String(500 * 1024 * 1024 + 1) };
  const mod = (line: string) => moduleZip(TOOL, 'v1.0.0', { 'go.mod': line });
  it.each<readonly [string, number, RegExp, Uint8Array<ArrayBuffer> | undefined, Put]>([
    ['a wrong prefix', 422, /outside of corp.example\/tool@v1.0.0/, moduleZip(TOOL, 'v1.0.1'), {}],
    ['no zip', 422, /go command would not unpack/, new Uint8Array([1, 2, 3]), {}],
    ['no body', 422, /no body/, undefined, {}],
    [
      'a path that Go does not unpack',
      422,
      /a:b.go/,
      moduleZip(TOOL, 'v1.0.0', { 'a:b.go': '' }),
      {},
    ],
    [
      'content that is damaged',
      422,
      /CRC-32/,
      new Uint8Array(writeZip([{ name: `${TOOL}@v1.0.0/a`, content: 'a', lies: { crc32: 7 } }])),
      {},
    ],
    [
      'the go.mod of another module',
      422,
      /says "module corp.example\/other" instead of "module corp.example\/tool"/,
      mod('module corp.example/other\n'),
      {},
    ],
    ['a go.mod without a module line', 422, /without a module line/, mod('go 1.24\n'), {}],
    [
      'a version that does not fit the path',
      422,
      /v2.0.0 is no version of corp.example\/tool/,
      moduleZip(TOOL, 'v2.0.0'),
      { at: `${TOOL}/@v/v2.0.0.zip` },
    ],
    [
      '+incompatible with a go.mod',
      422,
      /for modules without one/,
      moduleZip(TOOL, 'v2.0.0+incompatible'),
      { at: `${TOOL}/@v/v2.0.0+incompatible.zip` },
    ],
    [
      'a public module',
      422,
      /"?example.com\/hello"? is not private/,
      moduleZip('example.com/hello', 'v1.0.0'),
      { at: 'example.com/hello/@v/v1.0.0.zip' },
    ],
    ["a body over Go's limit", 413, /at most 524288000 bytes/, FIRST, { headers: big }],
    [
      'upper case that is not escaped',
      400,
      /upper case/,
      FIRST,
      { at: 'corp.example/Tool/@v/v1.0.0.zip' },
    ],
    ['a branch', 400, /no canonical version/, FIRST, { at: `${TOOL}/@v/main.zip` }],
    ['another file', 400, /@v\/<version>.zip/, FIRST, { at: `${TOOL}/@v/v1.0.0.info` }],
  ])('refuses %s with %i', async (_name, status, reason, body, options) => {
    const modferry = start();
    const answer = await put(modferry, body, options);
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      status,
      { error: expect.stringMatching(reason) },
    ]);
    expect(answer.headers.get('Cache-Control')).toBe('no-store');
    expect([...modferry.tiers.durable.files.keys()]).toEqual([]);
    expect(adminEvents(modferry)).toEqual([]);
  });

  it('takes a zip without go.mod, whose .mod is one line, also with +incompatible', async () => {
    const modferry = start();
    const version = 'v2.0.0+incompatible';
    const at = `${TOOL}/@v/${version}.zip`;
    const zip = moduleZip(TOOL, version, { 'tool.go': 'package tool\n' });
    expect((await put(modferry, zip, { at })).status).toBe(201);
    const { text } = await modferry.get(`/${TOOL}/@v/${version}.mod`, as('private'));
    expect(text).toBe(`module ${TOOL}\n`);
  });

  it.each([
    ['nobody', {}, 401],
    ['a wrong token', { Authorization: 'Bearer wrong' }, 401],
    ['read', as('read'), 403],
    ['private', as('private'), 403],
    ['publish', as('publish'), 201],
    ['admin', as('admin'), 201],
  ] as const)('of %s', async (_name, headers, status) => {
    expect((await put(start(), FIRST, { headers })).status).toBe(status);
  });

  it('answers 503 with the remedy where there is no bucket', async () => {
    const { clock, fetch, incoming, sink } = start();
    const { parseConfig } = await import('../../config/config.ts');
    const config = parseConfig({
      ORIGINS: 'https://a.example',
      SUMDBS: 'off',
      TOKENS,
      PRIVATE: TOOL,
    });
    if (!config.ok) throw new Error(config.reason.join());
    const modferry = createModferry(config.value, {
      tiers: {},
      sharedStates: { dataCentre: memoryShared(clock) },
      fetch,
      openPipe: () => new TransformStream(),
      clock,
      random: () => 0,
      sink,
    });
    const init = { method: 'PUT', headers: as('publish'), body: FIRST };
    const response = await modferry.app.request(`${API}/${TOOL}/@v/v1.0.0.zip`, init, { incoming });
    expect([response.status, await response.text()]).toEqual([
      503,
      expect.stringContaining('bind an R2 bucket as FILES'),
    ]);
  });

  it('is 422 for an empty body, and nothing is left of it', async () => {
    const modferry = start();
    const { status, text } = await put(modferry, new Uint8Array());
    expect([status, text]).toEqual([422, expect.stringContaining('there are no bytes')]);
    expect(keys(modferry)).toEqual([]);
    expect(modferry.events.some(({ event }) => event.event === 'trouble')).toBe(false);
  });

  it('is recorded with the name of the token, once', async () => {
    const modferry = start();
    await put(modferry, FIRST);
    await put(modferry, FIRST);
    await put(modferry, OTHER);
    expect(adminEvents(modferry)).toEqual([
      { event: 'admin', token: 'publish', action: 'publish-version', subject: `${TOOL}@v1.0.0` },
    ]);
  });
});

describe('a token that is limited to modules', () => {
  it.each([
    ['corp.example/tool', 201],
    ['corp.example/*', 201],
    ['corp.example/other', 403],
    ['corp.example/tool/sub', 403],
  ])('%s answers %i', async (globs, status) => {
    const modferry = start();
    const made = await modferry.request('/-/api/tokens', {
      method: 'POST',
      headers: as('admin'),
      body: JSON.stringify({ name: 'ci', scope: 'publish', modules: globs }),
    });
    const { token } = (await made.json()) as { token: string };
    const answer = await put(modferry, FIRST, { headers: { Authorization: `Bearer ${token}` } });
    const text = status === 403 ? '"ci" may publish other modules alone' : '"version":"v1.0.0"';
    expect([answer.status, answer.text.replaceAll('\\', '')]).toEqual([
      status,
      expect.stringContaining(text),
    ]);
    expect(keys(modferry)).toEqual(status === 403 ? [] : HOSTED);
  });
});

describe('a hosted version', () => {
  it('is served to those who may, whole, in parts, and as metadata', async () => {
    const modferry = start();
    await put(modferry, FIRST);
    const info = await modferry.get(`/${TOOL}/@v/v1.0.0.info`, as('private'));
    expect(JSON.parse(info.text)).toEqual({
      Version: 'v1.0.0',
      Time: new Date(modferry.clock.now()).toISOString().replace(/\.\d+Z/, 'Z'),
    });
    expect(info.headers.get('Cache-Control')).toMatch(/^private/);
    expect((await modferry.get(`/${TOOL}/@v/v1.0.0.mod`, as('private'))).text).toBe(
      `module ${TOOL}\n`,
    );
    expect((await modferry.get(`/${TOOL}/@v/list`, as('private'))).text).toBe('v1.0.0\n');
    expect(JSON.parse((await modferry.get(`/${TOOL}/@latest`, as('private'))).text)).toMatchObject({
      Version: 'v1.0.0',
    });
    const path = `/${TOOL}/@v/v1.0.0.zip`;
    const range = await modferry.request(path, {
      headers: { ...as('private'), Range: 'bytes=2-5' },
    });
    expect([range.status, new Uint8Array(await range.arrayBuffer())]).toEqual([
      206,
      FIRST.slice(2, 6),
    ]);
    const head = await modferry.request(path, { method: 'HEAD', headers: as('private') });
    expect([head.status, head.headers.get('Content-Length')]).toEqual([200, String(FIRST.length)]);
    const etag = head.headers.get('ETag') ?? '';
    const same = await modferry.get(path, { ...as('private'), 'If-None-Match': etag });
    expect(same.status).toBe(304);
    expect(modferry.fetch.calls).toEqual([]);
  });

  it.each([
    ['nobody', {}, 401],
    ['read', as('read'), 403],
    ['private', as('private'), 200],
  ] as const)('is for %s', async (_name, headers, status) => {
    const modferry = start();
    await put(modferry, FIRST);
    const ends = ['@v/list', '@latest', '@v/v1.0.0.info', '@v/v1.0.0.mod', '@v/v1.0.0.zip'];
    for (const start of ['', '/cached-only']) {
      for (const end of ends) {
        const answer = await modferry.get(`${start}/${TOOL}/${end}`, headers);
        expect([end, answer.status]).toEqual([end, status]);
      }
    }
  });
});

describe('DELETE of a version', () => {
  const version = `${TOOL}/@v/v1.0.0`;

  it('leaves a hosted one alone without force=true', async () => {
    const modferry = start();
    await put(modferry, FIRST);
    for (const query of ['', '?force=false', '?force', '?Force=true']) {
      const { status, text } = await send(modferry, 'DELETE', version + query);
      expect([status, JSON.parse(text)]).toEqual([
        409,
        { error: expect.stringContaining('force=true') },
      ]);
    }
    expect(keys(modferry)).toEqual(HOSTED);
  });

  it('takes a hosted one away with force=true, and its number may be published again', async () => {
    const modferry = start();
    await put(modferry, FIRST);
    expect((await send(modferry, 'DELETE', `${version}?force=true`)).status).toBe(204);
    expect(keys(modferry)).toEqual([]);
    for (const end of ['@v/list', '@latest', '@v/v1.0.0.info', '@v/v1.0.0.mod', '@v/v1.0.0.zip']) {
      expect((await modferry.get(`/${TOOL}/${end}`, as('private'))).status).toBe(404);
    }
    expect((await send(modferry, 'DELETE', `${version}?force=true`)).status).toBe(404);
    expect((await put(modferry, OTHER)).status).toBe(201);
    expect(adminEvents(modferry).map(({ action, subject }) => `${action} ${subject}`)).toEqual([
      `publish-version ${TOOL}@v1.0.0`,
      `delete-version ${TOOL}@v1.0.0`,
      `publish-version ${TOOL}@v1.0.0`,
    ]);
  });

  it('purges a version that is not hosted from every tier', async () => {
    const modferry = fakeModferry({
      replies: { 'https://a.example/example.com/hello/@v/': infoReply },
    });
    const path = '/example.com/hello/@v/v1.0.0.info';
    await modferry.get(path);
    await modferry.get(path);
    expect(modferry.fetch.calls).toHaveLength(1);
    expect((await send(modferry, 'DELETE', 'example.com/hello/@v/v1.0.0')).status).toBe(204);
    await modferry.clock.advance(3_000); // copies within the skew of clocks do not count
    expect((await modferry.get(path)).status).toBe(200);
    expect(modferry.fetch.calls).toHaveLength(2);
  });

  it('answers 404 where nothing is stored', async () => {
    const { status, text } = await send(start(), 'DELETE', version);
    expect([status, JSON.parse(text)]).toEqual([404, { error: expect.stringContaining(TOOL) }]);
  });
});

describe('DELETE of a module', () => {
  it('takes stored copies and no hosted version', async () => {
    const modferry = fakeModferry({
      variables: {
        ORIGINS: '[{"name":"corp","url":"https://c.example","modules":"corp.example/*"}]',
      },
      replies: {
        [`https://c.example/${TOOL}/@v/list`]: () => new Response('v1.1.0\n'),
        [`https://c.example/${TOOL}/@v/v1.1.0.info`]: () => new Response('{"Version":"v1.1.0"}'),
      },
    });
    await put(modferry, FIRST);
    await modferry.get(`/${TOOL}/@v/v1.1.0.info`, as('private'));
    await modferry.get(`/${TOOL}/@v/list`, as('private'));
    expect(keys(modferry)).toContain(`private/${TOOL}/@v/v1.1.0.info`);
    expect((await send(modferry, 'DELETE', TOOL)).status).toBe(204);
    expect(keys(modferry)).toEqual(HOSTED);
    expect(adminEvents(modferry).at(-1)).toMatchObject({ action: 'delete-module', subject: TOOL });
  });
});

describe('POST refresh', () => {
  it('makes the next request ask the origins', async () => {
    const path = '/example.com/hello/@v/list';
    const modferry = fakeModferry({ replies: { [`https://a.example${path}`]: listReply } });
    await modferry.get(path);
    await modferry.get(path);
    expect(modferry.fetch.calls).toHaveLength(1);
    expect((await send(modferry, 'POST', 'example.com/hello/refresh')).status).toBe(204);
    await modferry.get(path);
    expect(modferry.fetch.calls).toHaveLength(2);
    expect(adminEvents(modferry)).toEqual([
      { event: 'admin', token: 'admin', action: 'refresh-module', subject: 'example.com/hello' },
    ]);
  });
});

describe('below /-/api/modules', () => {
  it.each([
    ['DELETE', `${TOOL}/@v/v1.0.0`],
    ['DELETE', TOOL],
    ['POST', `${TOOL}/refresh`],
    ['GET', TOOL],
  ])('%s %s is for admins', async (method, path) => {
    const modferry = start();
    expect((await modferry.request(`${API}/${path}`, { method })).status).toBe(401);
    for (const scope of SCOPES.filter((one) => one !== 'admin')) {
      expect((await send(modferry, method, path, as(scope))).status).toBe(403);
    }
  });

  it.each([
    ['GET', TOOL, 405],
    ['PATCH', TOOL, 405],
    ['GET', `${TOOL}/@v/v1.0.0.zip`, 405],
    ['POST', TOOL, 404],
    ['DELETE', 'corp.example/Tool', 400],
    ['DELETE', `${TOOL}/@v/main`, 400],
    ['DELETE', `${TOOL}/@latest`, 400],
    ['POST', 'corp.example/Tool/refresh', 400],
  ])('%s %s is %i', async (method, path, status) => {
    const answer = await send(start(), method, path);
    expect([answer.status, JSON.parse(answer.text)]).toEqual([
      status,
      { error: expect.any(String) },
    ]);
  });

  it('finds the token in a user name too', async () => {
    const basic = `Basic ${Buffer.from(`any:${tokenOf('publish')}`).toString('base64')}`;
    expect((await put(start(), FIRST, { headers: { Authorization: basic } })).status).toBe(201);
  });
});
