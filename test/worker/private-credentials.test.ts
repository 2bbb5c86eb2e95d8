import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { FakeServer } from '../fakes/origin/fake-server.ts';
import { hello } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { startFakeServer } from '../fakes/origin/fake-server.ts';
import { createLog } from '../fakes/sumdb/transparency-log.ts';
import { as, tokenOf } from '../fakes/tokens.ts';
import { rawRequest, type RawAnswer } from '../conformance/raw-request.ts';
import { startModferry } from './modferry.ts';

// The credentials of a client end at modferry, and those of an origin reach that origin alone.

const SECRET = 'acme:s3cret-of-the-registry';
const BASIC = `Basic ${Buffer.from(SECRET).toString('base64')}`;
const PRIVATE = 'example.com/hello';
const ENDS = ['@v/list', '@latest', '@v/v1.1.0.info', '@v/v1.1.0.mod', '@v/v1.1.0.zip'];

interface World {
  readonly corp: FakeOrigin;
  readonly outside: FakeOrigin;
  readonly database: FakeServer;
  readonly ask: (path: string, headers?: Readonly<Record<string, string>>) => Promise<RawAnswer>;
}

async function startWorld(row: object): Promise<World> {
  const log = createLog();
  const database = await startFakeServer(({ url }) => {
    const body = log.answer(url);
    return { status: body === undefined ? 404 : 200, headers: {}, body: body ?? '' };
  });
  const open = { ...hello(), path: 'example.com/open' };
  const corp = await startOrigin({ modules: [hello()] });
  const outside = await startOrigin({ modules: [open] });
  const ORIGINS = JSON.stringify([
    { name: 'corp', url: corp.url, modules: PRIVATE, ...row },
    { name: 'outside', url: outside.url },
  ]);
  const SUMDBS = `${log.verifierKey} ${database.url}`;
  const modferry = await startModferry({ variables: { ORIGINS, SUMDBS, CORP: SECRET } });
  onTestFinished(async () => {
    for (const server of [modferry, corp, outside, database]) await server.close();
  });
  return {
    corp,
    outside,
    database,
    ask: (path, headers = as('private')) => rawRequest(modferry.url, path, { headers }),
  };
}

/** Every header that a server received, in one text. */
const received = (server: FakeServer) =>
  JSON.stringify(server.requests.map(({ headers, url }) => [url, headers]));
const authorizations = (server: FakeServer) => [
  ...new Set(server.requests.map(({ headers }) => headers.authorization)),
];

describe.each([
  ['a Bearer token', as('private')],
  ['a Basic one', { Authorization: `Basic ${btoa(`me:${tokenOf('private')}`)}` }],
])('the credentials of a client, %s,', (_, credentials) => {
  const token = tokenOf('private');
  const secrets = [token, btoa(`me:${token}`), 'c00kie', 'further'];
  const headers = { ...credentials, Cookie: 'a=c00kie', 'X-Further': 'further' };

  it.each([{}, { auth: 'CORP' }])(
    'reach no origin and no database, where the origin has %j',
    async (row) => {
      const { ask, corp, database, outside } = await startWorld(row);
      for (const end of ENDS) expect((await ask(`/${PRIVATE}/${end}`, headers)).status).toBe(200);
      for (const end of ENDS) await ask(`/example.com/open/${end}`, headers);
      await ask('/sumdb/sum.example.test/latest', headers);
      await ask('/sumdb/sum.example.test/lookup/example.com/open@v1.1.0', headers);
      for (const server of [corp, outside, database]) {
        expect(server.count()).toBeGreaterThan(0);
        for (const secret of secrets) expect(received(server)).not.toContain(secret);
      }
      expect(authorizations(corp)).toEqual(['auth' in row ? BASIC : undefined]);
      expect([...authorizations(outside), ...authorizations(database)]).toEqual([
        undefined,
        undefined,
      ]);
    },
  );
});

describe('the credentials of an origin', () => {
  let storage: FakeOrigin;
  beforeAll(async () => {
    storage = await startOrigin({ modules: [hello()] });
    return () => storage.close();
  });

  it.each([
    ['another port', (url: string) => url],
    ['another name of the same machine', (url: string) => url.replace('127.0.0.1', 'localhost')],
    ['a name with credentials', (url: string) => url.replace('//', '//user:password@')],
  ])('are not sent to %s, to which it redirects', async (_, elsewhere) => {
    const { ask, corp } = await startWorld({ auth: 'CORP' });
    storage.reset();
    corp.fault({ redirect: elsewhere(storage.url) });
    for (const end of ENDS) {
      const { headers, status } = await ask(`/${PRIVATE}/${end}`);
      expect(headers).not.toHaveProperty('location');
      expect([200, 502]).toContain(status);
    }
    expect(authorizations(corp)).toEqual([BASIC]);
    expect(received(storage)).not.toMatch(/"authorization":"(?!Basic dXNlcjpwYXNzd29yZA==)/);
    expect(received(storage)).not.toMatch(/s3cret|cookie|referer/i);
  });

  it('are not sent again when it redirects to itself', async () => {
    const { ask, corp } = await startWorld({ auth: 'CORP' });
    corp.fault('redirect');
    for (const end of ENDS) expect((await ask(`/${PRIVATE}/${end}`)).status).toBe(200);
    const redirected = corp.requests.filter(({ url }) => url.includes('-redirected'));
    expect(redirected.map(({ headers }) => headers.authorization)).toEqual(
      redirected.map(() => undefined),
    );
    expect(redirected.length).toBeGreaterThan(0);
  });

  it('are in no answer, whatever the origin says', async () => {
    const { ask, corp } = await startWorld({ auth: 'CORP' });
    for (const status of [401, 403, 404, 500]) {
      corp.fault({ status, headers: { 'www-authenticate': 'Basic realm="corp"' } });
      const answer = await ask(`/${PRIVATE}/@v/v1.1.0.mod?${status}`);
      expect(answer.headers).not.toHaveProperty('www-authenticate');
      expect(answer.status).not.toBe(401);
      expect(JSON.stringify([answer.headers, answer.body.toString()])).not.toMatch(/s3cret|YWNtZ/);
    }
  });
});
