import { describe, expect, it } from 'vitest';
import { untilDone } from '../../test/fakes/mirror/context.ts';
import { fakeModferry } from '../../test/fakes/modferry.ts';
import { hello, logOf } from '../../test/fakes/sumdb/log-client.ts';
import { createLog } from '../../test/fakes/sumdb/transparency-log.ts';

const log = logOf(300);
const BASE = `/sumdb/${log.name}`;
const LOOKUP = `lookup/${hello}@v1.0.0`;

function fakeDatabase() {
  return fakeModferry({
    variables: { SUMDBS: `${log.verifierKey} https://sum.example`, VERIFY: 'off' },
    replies: {
      'https://sum.example': ({ url }) => {
        const body = log.answer(new URL(url).pathname);
        return body === undefined
          ? new Response('not found', { status: 404 })
          : new Response(typeof body === 'string' ? body : new Uint8Array(body));
      },
    },
  });
}

describe('a file of a checksum database', () => {
  const IMMUTABLE = 'public, max-age=31536000, immutable';
  it.each<[string, string, object]>([
    [LOOKUP, IMMUTABLE, { kind: 'lookup', module: hello, version: 'v1.0.0' }],
    ['tile/8/0/000', IMMUTABLE, { kind: 'tile', path: 'tile/8/0/000' }],
    ['tile/8/0/001.p/44', IMMUTABLE, { kind: 'tile', path: 'tile/8/0/001.p/44' }],
    ['latest', 'public, max-age=60, stale-if-error=0', { kind: 'sumdb tree head' }],
  ])(
    '%s is what the database has, with its Cache-Control and event',
    async (path, cacheControl, subject) => {
      const modferry = fakeDatabase();
      const response = await modferry.request(`${BASE}/${path}`);
      const body = Buffer.from(await response.arrayBuffer());
      await modferry.idle();
      expect([response.status, response.headers.get('Cache-Control')]).toEqual([200, cacheControl]);
      expect(body).toEqual(Buffer.from(log.answer(`/${path}`) ?? ''));
      const event = { ...subject, status: 200, bytes: body.length, source: { from: 'origin' } };
      expect(modferry.lastRequest()).toMatchObject(event);
    },
  );

  it('is served from the store the second time', async () => {
    const modferry = fakeDatabase();
    await modferry.get(`${BASE}/${LOOKUP}`);
    const { length } = modferry.fetch.calls;
    expect((await modferry.get(`${BASE}/${LOOKUP}`)).headers.get('Cache-Status')).toMatch(
      /; hit; /,
    );
    expect(modferry.fetch.calls.length).toBe(length);
  });

  it('supported is an empty answer of its own', async () => {
    const modferry = fakeDatabase();
    expect(await modferry.get(`${BASE}/supported`)).toMatchObject({ status: 200, text: '' });
    expect(modferry.lastRequest()).toMatchObject({
      kind: 'sumdb supported',
      source: { from: 'local' },
    });
    expect(modferry.fetch.calls).toEqual([]);
  });

  it('is fetched below /cached-only too, where only modules are not', async () => {
    const modferry = fakeDatabase();
    expect((await modferry.get(`/cached-only${BASE}/${LOOKUP}`)).status).toBe(200);
    const absent = await modferry.get(`${BASE}/${LOOKUP}`, { 'Disable-Module-Fetch': 'true' });
    expect(absent.status).toBe(200);
  });

  it('has no ranges', async () => {
    const modferry = fakeDatabase();
    await modferry.get(`${BASE}/${LOOKUP}`);
    expect((await modferry.get(`${BASE}/${LOOKUP}`, { Range: 'bytes=0-1' })).status).toBe(200);
  });

  it('that the database has not is a 404', async () => {
    const modferry = fakeDatabase();
    const { status } = await modferry.get(`${BASE}/lookup/example.com/other@v1.0.0`);
    expect(status).toBe(404);
    expect(modferry.lastRequest()).toMatchObject({ kind: 'lookup', module: 'example.com/other' });
  });
});

it.each([
  '/sumdb',
  '/sumdb/',
  '/sumdb/other.example/latest',
  BASE,
  `${BASE}/`,
  `${BASE}/nonsense`,
  `${BASE}/lookup/${hello}@main`,
  `${BASE}/lookup/${hello}@v1.0.0@v1.0.0`,
  `${BASE}/tile/8/0/0`,
  `${BASE}/tile/8/0/..%2f..%2flatest`,
  `${BASE}x/latest`,
])('%s is no file of a database that is served: a 404, and no server is asked', async (path) => {
  const modferry = fakeDatabase();
  const { status, text } = await modferry.get(path);
  expect(status).toBe(404);
  expect(text).toMatch(/^not found: no such file of a checksum database that this proxy serves /);
  expect(modferry.lastRequest()).toMatchObject({ kind: 'malformed', source: { from: 'local' } });
  expect(modferry.fetch.calls).toEqual([]);
});

it('an answer that the key of the database has not signed is a 502 with a security event', async () => {
  const forged = createLog({ name: log.name });
  forged.add(`${hello} v1.0.0 h1:x\n${hello} v1.0.0/go.mod h1:y`);
  const modferry = fakeModferry({
    variables: { SUMDBS: `${log.verifierKey} https://sum.example` },
    replies: {
      'https://sum.example': ({ url }) =>
        new Response(String(forged.answer(new URL(url).pathname))),
    },
  });
  const { status } = await untilDone(modferry.clock, modferry.get(`${BASE}/latest`));
  expect(status).toBe(502);
  expect(modferry.events.map(({ event }) => event)).toContainEqual(
    expect.objectContaining({ event: 'security', kind: 'forged', database: log.name }),
  );
});
