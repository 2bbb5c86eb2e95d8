import { describe, expect, it } from 'vitest';
import { afterRetry } from '../../test/fakes/mirror/context.ts';
import { fakeModferry } from '../../test/fakes/modferry.ts';
import { writeZip } from '../../test/fakes/zip/zip-writer.ts';

const HELLO = '/example.com/hello';
const ZIP = `${HELLO}/@v/v1.0.0.zip`;
const zip = new Uint8Array(
  writeZip([{ name: 'example.com/hello@v1.0.0/go.mod', content: 'module example.com/hello\n' }]),
);
const SIZE = zip.length;

const INFO = '{"Version":"v1.0.0","Time":"2024-01-15T10:00:00Z"}';
const FILES: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>> = {
  '/@v/list': 'v1.0.0\n',
  '/@latest': INFO,
  '/@v/main.info': INFO,
  '/@v/v1.0.0.info': INFO,
  '/@v/v1.0.0.mod': 'module example.com/hello\n',
  '/@v/v1.0.0.zip': zip,
};
const replies = {
  'https://a.example': ({ url }: { readonly url: string }) => {
    const body = FILES[new URL(url).pathname.slice(HELLO.length)];
    return body === undefined
      ? new Response('not found: no such version', { status: 404 })
      : new Response(body);
  },
};
const variables = { ORIGINS: 'https://a.example' };
const fakeHello = () => fakeModferry({ variables, replies });

describe('a file of a module', () => {
  const [JSON_TYPE, TEXT] = ['application/json', 'text/plain; charset=utf-8'];
  const MUTABLE = 'public, max-age=60, stale-if-error=0';
  const FOR_EVER = 'public, max-age=31536000, immutable';

  it.each<[string, string, string, object]>([
    ['/@v/list', TEXT, MUTABLE, { kind: 'list' }],
    ['/@latest', JSON_TYPE, MUTABLE, { kind: 'latest' }],
    ['/@v/main.info', JSON_TYPE, MUTABLE, { kind: 'query', version: 'main' }],
    [
      '/@v/v1.0.0.info',
      JSON_TYPE,
      'public, max-age=86400, stale-if-error=0',
      { kind: 'info', version: 'v1.0.0' },
    ],
    ['/@v/v1.0.0.mod', TEXT, FOR_EVER, { kind: 'mod', version: 'v1.0.0' }],
    ['/@v/v1.0.0.zip', 'application/zip', FOR_EVER, { kind: 'zip', version: 'v1.0.0' }],
  ])('%s has its type, Cache-Control and event', async (path, type, cacheControl, subject) => {
    const modferry = fakeHello();
    const { status, headers } = await modferry.get(`${HELLO}${path}`);
    expect(status).toBe(200);
    expect([headers.get('Content-Type'), headers.get('Cache-Control')]).toEqual([
      type,
      cacheControl,
    ]);
    expect(headers.get('Cache-Status')).toBe(
      'modferry; fwd=uri-miss; fwd-status=200; detail=a.example',
    );
    expect(headers.get('Accept-Ranges')).toBe(type === 'application/zip' ? 'bytes' : null);
    expect(modferry.lastRequest()).toEqual({
      event: 'request',
      method: 'GET',
      module: 'example.com/hello',
      ...subject,
      status: 200,
      source: {
        from: 'origin',
        origin: 'a.example',
        effort: { attempts: 1, hedged: false, breakers: {} },
      },
      bytes: Number(headers.get('Content-Length')),
      ms: 0,
      region: {},
      client: undefined,
      text: undefined,
    });
    expect((await modferry.get(`${HELLO}${path}`)).headers.get('Cache-Status')).toBe(
      'modferry; hit; detail=edge',
    );
    expect(modferry.fetch.calls.length).toBe(1);
  });

  it('that is missing is a 404 with the text of the origin', async () => {
    const modferry = fakeHello();
    const { status, headers, text } = await modferry.get(`${HELLO}/@v/v2.0.0+incompatible.mod`);
    expect([status, headers.get('Cache-Control')]).toEqual([
      404,
      'public, max-age=30, stale-if-error=0',
    ]);
    expect(text).toMatch(/^not found: .* a\.example says: no such version \(request /);
    expect(modferry.lastRequest()?.text).toMatch(/a\.example says: no such version$/);
  });

  it('that no origin can give is a 502 that is not kept', async () => {
    const modferry = fakeModferry();
    const { status, headers, text } = await afterRetry(
      modferry.clock,
      modferry.get(`${HELLO}/@v/list`),
    );
    expect([status, headers.get('Cache-Control')]).toEqual([502, 'no-store']);
    expect(text).toMatch(
      /^cannot get example\.com\/hello\/@v\/list: a\.example: connection failed/,
    );
  });

  it('with a path that is none of a module proxy asks no origin', async () => {
    const modferry = fakeHello();
    const { status, text } = await modferry.get('/Example.com/hello/@v/list');
    expect(status).toBe(404);
    expect(text).toMatch(/^not found: invalid escaped module path/);
    expect(modferry.lastRequest()).toMatchObject({ kind: 'malformed', source: { from: 'local' } });
    expect(modferry.fetch.calls).toEqual([]);
  });
});

describe('a request that does not fetch', () => {
  it.each<[string, string, Readonly<Record<string, string>>]>([
    ['below /cached-only', '/cached-only', {}],
    ['with Disable-Module-Fetch: true', '', { 'Disable-Module-Fetch': 'true' }],
    ['with Disable-Module-Fetch: TRUE', '', { 'Disable-Module-Fetch': 'TRUE' }],
  ])('%s is answered from the store alone', async (_, prefix, headers) => {
    const modferry = fakeHello();
    const path = `${prefix}${HELLO}/@v/v1.0.0.mod`;
    const absent = await modferry.get(path, headers);
    expect([absent.status, absent.headers.get('Cache-Control')]).toEqual([404, 'no-store']);
    expect(absent.text).toMatch(/^not found: temporarily unavailable: /);
    expect(modferry.fetch.calls).toEqual([]);
    await modferry.get(`${HELLO}/@v/v1.0.0.mod`);
    const stored = await modferry.get(path, headers);
    expect([stored.status, stored.text]).toEqual([200, 'module example.com/hello\n']);
    expect(modferry.fetch.calls.length).toBe(1);
    expect(modferry.lastRequest()).toMatchObject({ kind: 'mod', module: 'example.com/hello' });
  });

  it.each(['false', '1', ''])('is none with Disable-Module-Fetch: %j', async (value) => {
    const modferry = fakeHello();
    const headers = { 'Disable-Module-Fetch': value };
    expect((await modferry.get(`${HELLO}/@v/list`, headers)).status).toBe(200);
  });

  it('is none where only the start of the module path says so', async () => {
    const modferry = fakeHello();
    expect((await modferry.get(`/cached-only.example${HELLO}/@v/list`)).status).toBe(404);
    expect(modferry.fetch.calls.length).toBe(1);
  });
});

/** modferry with the zip in its store, and the etag of the zip. */
async function storedZip() {
  const modferry = fakeHello();
  const { headers } = await modferry.get(ZIP);
  return { modferry, etag: headers.get('ETag') ?? '' };
}

describe('a range of a stored zip', () => {
  it.each([
    ['bytes=0-1', `bytes 0-1/${SIZE}`, 'PK'],
    ['bytes=0-0', `bytes 0-0/${SIZE}`, 'P'],
    ['bytes=-2', `bytes ${SIZE - 2}-${SIZE - 1}/${SIZE}`, '\0\0'],
  ])('(%s) is a 206 with that part', async (range, contentRange, part) => {
    const { modferry, etag } = await storedZip();
    const { status, headers, text } = await modferry.get(ZIP, { Range: range });
    expect([status, headers.get('Content-Range'), headers.get('ETag'), text]).toEqual([
      206,
      contentRange,
      etag,
      part,
    ]);
    expect(headers.get('Content-Length')).toBe(String(part.length));
    expect(modferry.lastRequest()).toMatchObject({ status: 206, bytes: part.length });
  });

  it('beyond its end is a 416 that is not kept', async () => {
    const { modferry } = await storedZip();
    const { status, headers, text } = await modferry.get(ZIP, { Range: `bytes=${SIZE}-` });
    expect([status, headers.get('Content-Range'), headers.get('Cache-Control'), text]).toEqual([
      416,
      `bytes */${SIZE}`,
      'no-store',
      '',
    ]);
  });

  it('is that part where If-Range names the copy, and the whole zip where it names another', async () => {
    const { modferry, etag } = await storedZip();
    const get = (ifRange: string) => modferry.get(ZIP, { Range: 'bytes=0-1', 'If-Range': ifRange });
    expect((await get(etag)).status).toBe(206);
    for (const other of ['"other"', `W/${etag}`, 'Mon, 15 Jan 2024 10:00:00 GMT']) {
      const { status, headers } = await get(other);
      expect([status, headers.get('Content-Length')]).toEqual([200, String(SIZE)]);
    }
  });

  it.each(['bytes=0-1,3-4', 'items=0-1', 'bytes=5-3'])(
    'that is none (%s) is the whole zip',
    async (range) => {
      const { modferry } = await storedZip();
      expect((await modferry.get(ZIP, { Range: range })).status).toBe(200);
    },
  );

  it('is the whole zip for HEAD, and any small file is always whole', async () => {
    const { modferry } = await storedZip();
    const headers = { Range: 'bytes=0-1' };
    const head = await modferry.request(ZIP, { method: 'HEAD', headers });
    expect([head.status, head.headers.get('Content-Length')]).toEqual([200, String(SIZE)]);
    expect((await modferry.get(`${HELLO}/@v/list`, headers)).status).toBe(200);
    expect((await modferry.get(`${HELLO}/@v/list`, headers)).text).toBe('v1.0.0\n');
  });
});

describe('If-None-Match', () => {
  it.each(['/@v/list', '/@v/v1.0.0.mod', '/@v/v1.0.0.zip'])(
    'with the etag of %s is a 304 without a body',
    async (path) => {
      const modferry = fakeHello();
      const first = await modferry.get(`${HELLO}${path}`);
      const etag = first.headers.get('ETag') ?? '';
      const again = await modferry.get(`${HELLO}${path}`, { 'If-None-Match': etag });
      expect([again.status, again.text, again.headers.get('ETag')]).toEqual([304, '', etag]);
      expect(again.headers.get('Cache-Control')).toBe(first.headers.get('Cache-Control'));
      expect(modferry.lastRequest()).toMatchObject({ status: 304, bytes: undefined });
      const other = await modferry.get(`${HELLO}${path}`, { 'If-None-Match': '"other"' });
      expect(other.status).toBe(200);
    },
  );
});
