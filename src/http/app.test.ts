import { as } from '../../test/fakes/tokens.ts';
import { describe, expect, it } from 'vitest';
import { afterRetry } from '../../test/fakes/mirror/context.ts';
import { fakeModferry } from '../../test/fakes/modferry.ts';
import { createLog } from '../../test/fakes/sumdb/transparency-log.ts';
import { StoredTokens } from '../access/tokens/stored-tokens.ts';
import { createApp } from './app.ts';

const LIST = '/example.com/hello/@v/list';
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const list = () => new Response('v1.0.0\n');
const down = () => {
  throw new TypeError('refused');
};

const fail = () => Promise.reject(new Error('secret detail'));

describe('a method', () => {
  const paths = ['/', '/healthz', '/readyz', '/sumdb/x/latest', LIST, '/nonsense'];

  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'])(
    '%s is a 405 that names the methods of the path, and asks no origin',
    async (method) => {
      const modferry = fakeModferry({ replies: { 'https://a.example': list } });
      for (const path of paths) {
        const response = await modferry.request(path, { method });
        expect([response.status, response.headers.get('Allow')]).toEqual([405, 'GET, HEAD']);
        expect(await response.text()).toMatch(/^method not allowed: .* \(request [0-9a-f-]+\)\n$/);
        expect(modferry.lastRequest()).toMatchObject({ method, kind: 'failure', status: 405 });
      }
      expect(modferry.fetch.calls).toEqual([]);
    },
  );

  it('HEAD has the headers of GET and no body', async () => {
    const modferry = fakeModferry({ replies: { 'https://a.example': list } });
    for (const path of ['/', '/healthz', '/readyz', '/-/api/origins', LIST, '/nonsense']) {
      const head = await modferry.request(path, { method: 'HEAD' });
      await modferry.idle();
      expect(await head.text()).toBe('');
      expect(modferry.lastRequest()).toMatchObject({ method: 'HEAD', status: head.status });
      const get = await modferry.get(path);
      expect(head.status).toBe(get.status);
      for (const name of ['Content-Length', 'Content-Type', 'Cache-Control', 'ETag']) {
        expect(head.headers.get(name)).toBe(get.headers.get(name));
      }
    }
  });
});

describe('the request id', () => {
  it("is modferry's own, also where the client sends one", async () => {
    const modferry = fakeModferry();
    const { headers, text } = await modferry.get('/nonsense', { 'X-Request-Id': 'chosen' });
    const id = headers.get('X-Request-Id') ?? '';
    expect(id).toMatch(UUID);
    expect(text).toContain(`(request ${id})`);
  });

  it('is another one for every request, and the same in its events', async () => {
    const modferry = fakeModferry();
    const ids = [await modferry.get('/'), await modferry.get('/')].map(({ headers }) =>
      headers.get('X-Request-Id'),
    );
    expect(new Set(ids).size).toBe(2);
    expect(modferry.events.map(({ requestId }) => requestId)).toEqual(ids);
  });
});

describe('every answer', () => {
  const log = createLog();
  log.add('example.com/hello v1.0.0 h1:x\nexample.com/hello v1.0.0/go.mod h1:y');
  const variables = {
    SUMDBS: `${log.verifierKey} https://sum.example`,
    VERIFY: 'off',
    PRIVATE: 'corp.example',
  };

  it.each<[string, string, number, string]>([
    ['GET', '/', 200, 'home'],
    ['GET', '/healthz', 200, 'health'],
    ['GET', '/readyz', 200, 'readiness'],
    ['GET', '/-/api/origins', 401, 'failure'],
    ['GET', LIST, 200, 'list'],
    ['HEAD', LIST, 200, 'list'],
    ['GET', '/example.com/hello/@v/v1.0.0.mod', 502, 'mod'],
    ['GET', '/example.com/hello/@latest', 404, 'latest'],
    ['GET', `/cached-only${LIST}`, 404, 'list'],
    ['GET', '/corp.example/tool/@v/list', 401, 'failure'],
    ['GET', '/nonsense', 404, 'malformed'],
    ['GET', '/-/nonsense', 404, 'malformed'],
    ['POST', '/', 405, 'failure'],
    ['GET', `/sumdb/${log.name}/supported`, 200, 'sumdb supported'],
    ['GET', `/sumdb/${log.name}/latest`, 200, 'sumdb tree head'],
    ['GET', '/sumdb/other.example/latest', 404, 'malformed'],
  ])('to %s %s (%i) can be cached as it says, is traced, and has its event', async (...row) => {
    const [method, path, status, kind] = row;
    const modferry = fakeModferry({
      variables,
      region: { dataCentre: 'FRA', country: 'DE' },
      replies: {
        'https://a.example/example.com/hello/@v/list': list,
        'https://a.example/example.com/hello/@latest': () => new Response('', { status: 404 }),
        'https://b.example/example.com/hello/@latest': () => new Response('', { status: 404 }),
        'https://sum.example': ({ url }) => new Response(String(log.answer(new URL(url).pathname))),
      },
    });
    const response = await afterRetry(
      modferry.clock,
      Promise.resolve(modferry.request(path, { method })),
    );
    await response.text();
    const { headers } = response;
    expect(response.status).toBe(status);
    expect(headers.get('Cache-Control')).toMatch(/^(no-store|public, max-age=\d+)/);
    expect(headers.get('Cache-Status')).toMatch(/^modferry; /);
    expect(headers.get('X-Request-Id')).toMatch(UUID);
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    const ids = modferry.events.map(({ requestId }) => requestId);
    expect(new Set(ids)).toEqual(new Set([headers.get('X-Request-Id')]));
    expect(modferry.lastRequest()).toMatchObject({
      method,
      kind,
      status,
      region: { dataCentre: 'FRA', country: 'DE' },
    });
  });
});

describe('with ACCESS=private', () => {
  const variables = { ACCESS: 'private', PRIVATE: 'corp.example' };
  it.each([
    ['POST', LIST, 401, 405],
    ['DELETE', '/', 401, 405],
    ['PUT', '/corp.example/x/@v/list', 401, 403],
    ['POST', '/healthz', 405, 405],
    ['PATCH', '/-/api/tokens', 401, 403],
    ['GET', '/metrics', 401, 404],
    ['GET', '/-/status', 401, 404],
  ])('%s %s is %i for a stranger, and %i with a read token', async (method, path, none, read) => {
    const modferry = fakeModferry({ variables });
    expect((await modferry.request(path, { method })).status).toBe(none);
    expect((await modferry.request(path, { method, headers: as('read') })).status).toBe(read);
  });
});

describe('the API', () => {
  it.each([
    ['PUT', '/-/api/nope', 404, null],
    ['DELETE', '/-/api/tokens/', 404, null],
    ['PATCH', '/-/api/tokens', 405, 'GET, HEAD, POST'],
    ['PUT', '/-/api/tokens/ci', 405, 'DELETE'],
    ['POST', '/-/api/origins', 405, 'GET, HEAD'],
  ])('answers %s %s with %i', async (method, path, status, allow) => {
    const response = await fakeModferry().request(path, { method, headers: as('admin') });
    expect([response.status, response.headers.get('Allow')]).toEqual([status, allow]);
    expect(response.headers.get('Content-Type')).toBe('application/json');
    expect(await response.json()).toHaveProperty('error');
  });

  it.each(['/-/%61pi/tokens', '/%2D/api/tokens', '/-/ap%69/modules/corp.example/x/@v/v1.0.0.zip'])(
    'is not at %s',
    async (path) => {
      const response = await fakeModferry().request(path, { headers: as('admin') });
      expect(response.status).toBe(404);
    },
  );

  it('says in 600 bytes how to log in, however long the host is', async () => {
    const url = `https://${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.example/-/api/tokens`;
    const text = await (await fakeModferry().request(url)).text();
    expect(text.length).toBeLessThan(600);
    expect(text).toContain('into ~/.netrc');
  });
});

describe("modferry's own pages", () => {
  it('/healthz is 200 also while every origin is down', async () => {
    const modferry = fakeModferry({ replies: { 'https://': down } });
    expect(await modferry.get('/healthz')).toMatchObject({ status: 200, text: 'ok\n' });
    expect(modferry.fetch.calls).toEqual([]);
  });

  it('the home page says how to use the address that was asked, and where modules come from', async () => {
    const { text } = await fakeModferry().get('/');
    expect(text).toContain('go env -w GOPROXY=http://localhost\n');
    expect(text).toContain('Modules come from a.example, b.example.\n');
    expect(text).toContain('this proxy serves no checksum database');
  });

  it('the home page names the databases that are served', async () => {
    const { text } = await fakeModferry({ variables: { SUMDBS: 'sum.golang.org' } }).get('/');
    expect(text).toContain('sum.golang.org is served here too');
  });
});

describe('a module that PRIVATE covers', () => {
  const log = createLog();
  const variables = {
    PRIVATE: '*.corp.example',
    SUMDBS: `${log.verifierKey} https://sum.example`,
  };

  it.each([
    ['/git.corp.example/tool/@v/list', 401],
    ['/git.corp.example/tool/@latest', 401],
    ['/git.corp.example/tool/@v/v1.0.0.zip', 401],
    ['/git.corp.example/tool/@v/main.info', 401],
    ['/cached-only/git.corp.example/tool/@v/list', 401],
    [`/sumdb/${log.name}/lookup/git.corp.example/tool@v1.0.0`, 403],
  ])('is refused at %s, and no server is asked', async (path, refusal) => {
    const modferry = fakeModferry({ variables });
    const { status, headers } = await modferry.get(path);
    expect([status, headers.get('Cache-Control')]).toEqual([refusal, 'no-store']);
    expect(modferry.fetch.calls).toEqual([]);
  });
});

function noScope(): never {
  throw new Error('no scope');
}

it('a request that cannot even be opened is a 500 with its id, and a trouble event', async () => {
  const modferry = fakeModferry();
  const app = createApp({
    config: { access: 'public', origins: [], databases: [], logClientAddress: false },
    clock: modferry.clock,
    sink: modferry.sink,
    open: noScope,
    status: noScope,
    jobs: noScope,
    atStart: noScope,
    testNear: noScope,
    tokensOf: noScope,
    isPrivate: noScope,
    explain: noScope,
    resolveModule: noScope,
    resolveChecksums: noScope,
  });
  const response = await app.request('/healthz', {}, { incoming: modferry.incoming });
  expect(response.status).toBe(500);
  const requestId = response.headers.get('X-Request-Id');
  expect(modferry.events).toMatchObject([{ event: { event: 'trouble' }, requestId }]);
});

describe('a bug', () => {
  it('in a handler is a 500 that says nothing of it, with the error in a trouble event', async () => {
    const modferry = fakeModferry();
    const app = createApp({
      config: { access: 'public', origins: [], databases: [], logClientAddress: false },
      clock: modferry.clock,
      sink: modferry.sink,
      open: modferry.open,
      status: fail,
      jobs: fail,
      atStart: async () => {},
      testNear: fail,
      tokensOf: (context) => new StoredTokens([], modferry.clock).open(context),
      isPrivate: () => false,
      explain: fail,
      resolveModule: fail,
      resolveChecksums: fail,
    });
    for (const path of [LIST, '/readyz']) {
      const response = await app.request(path, {}, { incoming: modferry.incoming });
      const id = response.headers.get('X-Request-Id');
      expect([response.status, response.headers.get('Cache-Control')]).toEqual([500, 'no-store']);
      expect(await response.text()).toBe(
        `modferry failed on this request: see its log (request ${id})\n`,
      );
      expect(modferry.events.slice(-2)).toMatchObject([
        {
          requestId: id,
          event: { event: 'trouble', label: 'request', error: new Error('secret detail') },
        },
        { requestId: id, event: { event: 'request', kind: 'failure', status: 500 } },
      ]);
    }
  });
});
