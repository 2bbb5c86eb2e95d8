import { describe, expect, it } from 'vitest';
import { type FakeModferry, fakeModferry } from '../../../test/fakes/modferry.ts';
import { as } from '../../../test/fakes/tokens.ts';
import { SCOPES } from '../../access/scope.ts';
import { encodeHex } from '../../bytes/hex.ts';
import { hashToken } from '../../access/token.ts';

const TOKENS = '/-/api/tokens';
const KEY = '.modferry/tokens.json';

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Made;
}

/** What tests look at in JSON. */
interface Made {
  readonly name: string;
  readonly token: string;
  readonly error: string;
  readonly map: <T>(take: (listed: { readonly name: string }) => T) => T[];
}

async function call(
  modferry: FakeModferry,
  method: string,
  { path = TOKENS, body, headers = as('admin') }: CallOptions = {},
): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await modferry.request(path, {
    method,
    headers,
    ...(text === undefined ? {} : { body: text }),
  });
  const answer = await response.text();
  await modferry.idle();
  const json = (answer === '' ? undefined : JSON.parse(answer)) as Made;
  return { status: response.status, headers: response.headers, text: answer, json };
}

interface CallOptions {
  readonly path?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** The status of what needs the scope `read`. */
async function statusWith(modferry: FakeModferry, token: string): Promise<number> {
  return (await modferry.get('/-/api/origins', bearer(token))).status;
}

const make = (modferry: FakeModferry, body: unknown) => call(modferry, 'POST', { body });

describe('POST', () => {
  it('makes a token that counts at once, and shows its text this once', async () => {
    const modferry = fakeModferry();
    const body = {
      name: 'ci',
      scope: 'publish',
      expires: '2027-01-01T00:00:00Z',
      modules: 'corp.example/*',
    };
    const { status, headers, json } = await make(modferry, body);
    expect([status, headers.get('Content-Type'), headers.get('Cache-Control')]).toEqual([
      201,
      'application/json',
      'no-store',
    ]);
    expect(json).toEqual({ ...body, token: expect.stringMatching(/^mf_[0-9a-f]{40}$/) });
    expect(await statusWith(modferry, json.token)).toBe(200);
    expect(modferry.lastRequest()).toMatchObject({ token: 'ci' });
  });

  it.each(SCOPES)('makes a token of the scope %s without an end', async (scope) => {
    const modferry = fakeModferry();
    const { status, json } = await make(modferry, { name: 'x', scope });
    expect([status, Object.keys(json)]).toEqual([201, ['name', 'scope', 'token']]);
    const list = await call(modferry, 'GET', { headers: bearer(json.token) });
    expect(list.status).toBe(scope === 'admin' ? 200 : 403);
  });

  it('gives each token a text of its own', async () => {
    const modferry = fakeModferry();
    const [a, b] = [
      await make(modferry, { name: 'a', scope: 'read' }),
      await make(modferry, { name: 'b', scope: 'read' }),
    ];
    expect(a.json.token).not.toBe(b.json.token);
  });

  it.each<[string, unknown, string]>([
    ['no JSON', 'name=ci', 'a body that is no JSON'],
    ['nothing', undefined, 'a body that is no JSON'],
    ['no object', '"ci"', 'write an object with name, scope, expires and modules, not "ci"'],
    ['a list', [], 'name: it is missing; scope: it is missing'],
    ['null', 'null', 'write an object'],
    ['no name', { scope: 'read' }, 'name: it is missing'],
    ['no scope', { name: 'ci' }, 'scope: it is missing'],
    [
      'an unknown field',
      { name: 'ci', scope: 'read', expiry: 1 },
      'expiry: there is no such field',
    ],
    [
      'a prototype',
      '{"name":"ci","scope":"read","__proto__":{}}',
      '__proto__: there is no such field',
    ],
    ['a name that is no text', { name: 1, scope: 'read' }, 'name: write up to 64 letters'],
    ['an empty name', { name: '', scope: 'read' }, 'name: write up to 64 letters'],
    ['a long name', { name: 'x'.repeat(65), scope: 'read' }, 'name: write up to 64 letters'],
    ['a name with a slash', { name: 'a/b', scope: 'read' }, 'name: write up to 64 letters'],
    ['a name that no URL has', { name: '..', scope: 'read' }, 'name: write up to 64 letters'],
    [
      'a name with control characters',
      { name: 'ci\n{"event":"admin"}\u001B[2J', scope: 'read' },
      'name: write up to 64 letters, digits and . _ -, not "ci\\n{\\"event\\"',
    ],
    ['a name with a line break at its end', { name: 'ci\n', scope: 'read' }, 'name: write up to'],
    ['another scope', { name: 'ci', scope: 'root' }, 'scope: write one of read, private, publish'],
    ['a scope in another case', { name: 'ci', scope: 'Read' }, 'admin, not "Read"'],
    ['a day', { name: 'ci', scope: 'read', expires: '2027-01-01' }, 'expires: write a time as in'],
    ['a number of seconds', { name: 'ci', scope: 'read', expires: 1e10 }, 'expires: write a time'],
    [
      'a day that does not exist',
      { name: 'ci', scope: 'read', expires: '2027-02-30T00:00:00Z' },
      'expires: write a time as in RFC 3339, such as "2030-01-31T00:00:00Z", not "2027-02-30',
    ],
    [
      'a time that is over',
      { name: 'ci', scope: 'read', expires: '2026-01-01T00:00:00Z' },
      'expires: "2026-01-01T00:00:00Z" is not in the future',
    ],
    [
      'an empty list of globs',
      { name: 'ci', scope: 'publish', modules: '' },
      'modules: write globs as in GOPRIVATE',
    ],
    [
      'a malformed glob',
      { name: 'ci', scope: 'publish', modules: 'corp.example/[' },
      'modules: Cannot parse pattern "corp.example/["',
    ],
    [
      'too many globs',
      { name: 'ci', scope: 'publish', modules: `${'corp.example/x,'.repeat(100)}corp.example/y` },
      'modules: write at most 1000 characters',
    ],
    [
      'globs of a token that may not publish',
      { name: 'ci', scope: 'read', modules: 'corp.example' },
      'modules: only a token with the scope publish has them',
    ],
    [
      'globs of an admin, who may publish everything',
      { name: 'ci', scope: 'admin', modules: 'corp.example' },
      'modules: only a token with the scope publish has them',
    ],
  ])('of %s is 400 with the reason, and makes nothing', async (_, body, reason) => {
    const modferry = fakeModferry();
    const { status, headers, json } = await make(modferry, body);
    expect([status, headers.get('Content-Type'), headers.get('Cache-Control')]).toEqual([
      400,
      'application/json',
      'no-store',
    ]);
    expect(json).toEqual({ error: expect.stringContaining(reason) });
    expect(modferry.tiers.durable.files.size).toBe(0);
  });

  it('names every problem, and none at length', async () => {
    const body = { name: '\u0000'.repeat(10_000), scope: 'x', expires: 'y', modules: '*', more: 1 };
    const { json, text } = await make(fakeModferry(), body);
    for (const field of ['name: ', 'scope: ', 'expires: ', 'more: '])
      expect(json.error).toContain(field);
    expect(text.length).toBeLessThan(1_500);
  });

  it('of 1 MB is 413', async () => {
    const modferry = fakeModferry();
    const body = { name: 'x'.repeat(1_000_000), scope: 'read' };
    const { status, json } = await make(modferry, body);
    expect([status, json]).toEqual([413, { error: expect.stringContaining('65536 bytes') }]);
  });

  it.each([
    ['of TOKENS', 'admin', 'TOKENS has a token "admin"'],
    ['that was made', 'ci', 'there is a token "ci"'],
    ['that has expired', 'old', 'revoke it first'],
  ])('of a name %s is 409', async (_, name, reason) => {
    const modferry = fakeModferry();
    await make(modferry, { name: 'ci', scope: 'read' });
    await make(modferry, { name: 'old', scope: 'read', expires: '2026-01-01T00:00:01Z' });
    await modferry.clock.advance(2_000);
    const { status, json } = await make(modferry, { name, scope: 'read' });
    expect([status, json]).toEqual([409, { error: expect.stringContaining(reason) }]);
  });

  it('beyond 1000 tokens is 409', async () => {
    const modferry = fakeModferry();
    const tokens = Array.from({ length: 1000 }, (_, at) => ({
      name: `t${at}`,
      scope: 'read',
      hash: encodeHex(hashToken(`t${at}`)),
      made: '2026-01-01T00:00:00Z',
    }));
    const bytes = new TextEncoder().encode(JSON.stringify({ version: 1, tokens }));
    modferry.tiers.durable.files.set(KEY, { bytes, etag: '"e"' });
    const { status, json } = await make(modferry, { name: 'one-more', scope: 'read' });
    expect([status, json]).toEqual([409, { error: 'there are 1000 tokens: revoke some first' }]);
    expect(await statusWith(modferry, 't999')).toBe(200);
  });
});

describe('GET', () => {
  it('lists all tokens without their texts, those of TOKENS among them', async () => {
    const modferry = fakeModferry();
    const expires = '2026-02-01T00:00:00+01:00';
    const { json: made } = await make(modferry, { name: 'ci', scope: 'private', expires });
    await statusWith(modferry, made.token);
    await modferry.idle();
    const { status, headers, json } = await call(modferry, 'GET');
    expect([status, headers.get('Content-Type'), headers.get('Cache-Control')]).toEqual([
      200,
      'application/json',
      'no-store',
    ]);
    expect(json).toEqual([
      ...SCOPES.map((scope) => ({ name: scope, scope, from: 'TOKENS' })),
      {
        name: 'ci',
        scope: 'private',
        expires,
        from: 'api',
        made: '2026-01-01T00:00:00.000Z',
        lastUsed: '2026-01-01',
      },
    ]);
  });

  it('goes on to list a token that has expired, which counts no more', async () => {
    const modferry = fakeModferry();
    const expires = '2026-01-01T01:00:00Z';
    const { json: made } = await make(modferry, { name: 'ci', scope: 'read', expires });
    await modferry.clock.advance(3_600_000 - 1);
    expect(await statusWith(modferry, made.token)).toBe(200);
    await modferry.clock.advance(1);
    const { status, text } = await modferry.get('/-/api/origins', bearer(made.token));
    expect([status, text]).toEqual([401, expect.stringContaining('expired at 2026-01-01T01:00')]);
    expect((await call(modferry, 'GET')).json).toContainEqual(
      expect.objectContaining({ name: 'ci', expires }),
    );
  });

  it('by HEAD has the headers and no body', async () => {
    const modferry = fakeModferry();
    const response = await modferry.request(TOKENS, { method: 'HEAD', headers: as('admin') });
    expect([response.status, response.headers.get('Content-Type')]).toEqual([
      200,
      'application/json',
    ]);
    expect(await response.text()).toBe('');
  });
});

describe('DELETE', () => {
  it('revokes a token, which counts no more at once, and frees its name', async () => {
    const modferry = fakeModferry();
    const { json: made } = await make(modferry, { name: 'ci', scope: 'read' });
    expect(await statusWith(modferry, made.token)).toBe(200);
    const { status, headers, text } = await call(modferry, 'DELETE', { path: `${TOKENS}/ci` });
    expect([status, headers.get('Cache-Control'), text]).toEqual([204, 'no-store', '']);
    expect(await statusWith(modferry, made.token)).toBe(401);
    const again = await make(modferry, { name: 'ci', scope: 'read' });
    expect(again.status).toBe(201);
    expect(again.json.token).not.toBe(made.token);
    expect(await statusWith(modferry, made.token)).toBe(401);
  });

  it.each([
    ['ci', 404, 'there is no token of this name'],
    ['CI%0a', 404, 'there is no token of this name'],
    ['x'.repeat(10_000), 404, 'there is no token of this name'],
    ['admin', 409, '"admin" is one of TOKENS'],
  ])('of %s is %i', async (name, status, reason) => {
    const modferry = fakeModferry();
    const answer = await call(modferry, 'DELETE', { path: `${TOKENS}/${name}` });
    expect([answer.status, answer.json]).toEqual([
      status,
      { error: expect.stringContaining(reason) },
    ]);
    expect(modferry.events.filter(({ event }) => event.event === 'admin')).toEqual([]);
  });

  it('revokes a token that was made before TOKENS had one of its name', async () => {
    const before = fakeModferry({ variables: { TOKENS: 'root:admin:the-admin-token-0123456789' } });
    const { json: made } = await make(before, { name: 'admin', scope: 'read' });
    const modferry = fakeModferry();
    for (const [key, file] of before.tiers.durable.files)
      modferry.tiers.durable.files.set(key, file);
    expect(await statusWith(modferry, made.token)).toBe(200);
    const path = `${TOKENS}/admin`;
    expect((await call(modferry, 'DELETE', { path })).status).toBe(204);
    expect(await statusWith(modferry, made.token)).toBe(401);
    expect((await call(modferry, 'DELETE', { path })).status).toBe(409);
  });
});

it('another method is a 405 that names those of the path', async () => {
  const modferry = fakeModferry();
  const { status, headers, json } = await call(modferry, 'PUT');
  expect([status, headers.get('Allow'), json]).toEqual([
    405,
    'GET, HEAD, POST',
    { error: 'method not allowed: use GET or HEAD or POST' },
  ]);
});

describe('the record', () => {
  it('has who made and revoked a token, by their names', async () => {
    const modferry = fakeModferry();
    await make(modferry, { name: 'ci', scope: 'read' });
    await make(modferry, { name: 'ci', scope: 'read' });
    await call(modferry, 'DELETE', { path: `${TOKENS}/ci` });
    await call(modferry, 'DELETE', { path: `${TOKENS}/ci` });
    const recorded = modferry.events.flatMap(({ event }) => (event.event === 'admin' ? event : []));
    expect(recorded).toEqual([
      { event: 'admin', token: 'admin', action: 'make-token', subject: 'ci' },
      { event: 'admin', token: 'admin', action: 'revoke-token', subject: 'ci' },
    ]);
  });
});

describe('nobody but an admin', () => {
  const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

  it.each(
    (['read', 'private', 'publish'] as const).flatMap((scope) =>
      METHODS.map((method) => [scope, method] as const),
    ),
  )('may use it: %s by %s is 403', async (scope, method) => {
    const modferry = fakeModferry();
    const { json: made } = await make(modferry, { name: 'made', scope });
    const before = [...modferry.tiers.durable.files.values()];
    for (const headers of [as(scope), bearer(made.token)]) {
      for (const path of [TOKENS, `${TOKENS}/made`, `${TOKENS}/`]) {
        const response = await modferry.request(path, {
          method,
          headers,
          ...(method === 'POST' ? { body: '{"name":"evil","scope":"admin"}' } : {}),
        });
        expect([path, response.status]).toEqual([path, 403]);
        await response.text();
        await modferry.idle();
      }
    }
    const names = (await call(modferry, 'GET')).json.map(({ name }) => name);
    expect(names).toEqual([...SCOPES, 'made']);
    expect(before).toHaveLength(1);
  });

  it.each(METHODS)(
    'may use it: without a token, or with a wrong one, %s is 401',
    async (method) => {
      const modferry = fakeModferry();
      for (const headers of [{}, bearer('mf_0123456789012345678901234567890123456789')]) {
        const response = await modferry.request(TOKENS, { method, headers });
        expect([response.status, response.headers.get('WWW-Authenticate')]).toEqual([
          401,
          'Basic realm="modferry"',
        ]);
      }
    },
  );
});

it('the text of a token is in no log, list, error or file, and neither is its hash in an answer', async () => {
  const modferry = fakeModferry();
  const { json: made } = await make(modferry, { name: 'ci', scope: 'admin' });
  const hash = encodeHex(hashToken(made.token));
  const shown: string[] = [];
  for (const [method, options] of [
    ['GET', {}],
    ['POST', { body: { name: 'ci', scope: 'read' } }],
    ['POST', { body: { name: made.token.slice(0, 3), scope: 'read' } }],
    ['DELETE', { path: `${TOKENS}/none` }],
    ['DELETE', { path: `${TOKENS}/admin` }],
    ['GET', { path: '/-/api/none' }],
    ['DELETE', { path: `${TOKENS}/ci` }],
    ['GET', {}],
  ] as const) {
    const answer = await call(modferry, method, { ...options, headers: bearer(made.token) });
    if (answer.status !== 201) shown.push(answer.text, ...answer.headers.values());
  }
  for (const { bytes } of modferry.tiers.durable.files.values())
    shown.push(new TextDecoder().decode(bytes));
  shown.push(...modferry.tiers.durable.files.keys(), JSON.stringify(modferry.events));
  expect(shown.join('\n')).toContain('"ci"');
  expect(shown.join('\n')).not.toContain(made.token);
  expect(shown.join('\n')).not.toContain(hash);
});
