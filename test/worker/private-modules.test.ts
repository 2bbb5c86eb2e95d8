import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { makeModule, makeVersion } from '../fakes/origin/module.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { as } from '../fakes/tokens.ts';
import { rawRequest, type RawAnswer, type RawOptions } from '../conformance/raw-request.ts';
import { entryAddress } from '../../src/platform/cloudflare/data-centre.ts';
import { type Modferry, startModferry } from './modferry.ts';

// Attacks on private modules: one is warmed with a token, and then everything is tried to get it
// without, in every spelling, from every tier, and after the settings have changed.

const PATH = 'corp.example/Secret';
const ESCAPED = 'corp.example/!secret';
const MARK = 'the-secret-of-corp';
const OPEN = 'open.example/hello';

function moduleOf(path: string, mark: string, versions: readonly string[] = ['v1.0.0', 'v1.1.0']) {
  const files = { 'go.mod': `module ${path}\n\n// ${mark}\n`, 'x.go': `package x // ${mark}\n` };
  const all = versions.map((version) => [version, makeVersion(path, version, files)] as const);
  return makeModule(path, Object.fromEntries(all), {
    queries: { main: all[0]?.[1].info ?? '' },
  });
}

const ENDS = [
  '@v/list',
  '@latest',
  '@v/v1.1.0.info',
  '@v/v1.1.0.mod',
  '@v/v1.1.0.zip',
  '@v/main.info',
];

let corp: FakeOrigin;
let outside: FakeOrigin;
beforeAll(async () => {
  corp = await startOrigin({ modules: [moduleOf(PATH, MARK)] });
  // It has the same path with the same versions, and a higher one.
  const lure = moduleOf(PATH, 'lure', ['v1.0.0', 'v1.1.0', 'v1.99.0']);
  outside = await startOrigin({ modules: [lure, moduleOf(OPEN, 'open')] });
});
afterAll(async () => {
  await corp.close();
  await outside.close();
});

const origins = (row: object = { modules: 'corp.example' }) =>
  JSON.stringify([
    { name: 'corp', url: corp.url, ...row },
    { name: 'outside', url: outside.url },
  ]);

interface StartOptions {
  readonly variables?: Readonly<Record<string, string>>;
  readonly stateDirectory?: string;
}

function start({ variables = {}, stateDirectory }: StartOptions = {}): Promise<Modferry> {
  return startModferry({
    variables: { ORIGINS: origins(), ...variables },
    ...(stateDirectory === undefined ? {} : { stateDirectory }),
  });
}

/** Fetches every file of a module with a token that may, until all of them are stored. */
async function warm(modferry: Modferry, path = ESCAPED): Promise<readonly RawAnswer[]> {
  const answers: RawAnswer[] = [];
  for (const end of ENDS)
    answers.push(await rawRequest(modferry.url, `/${path}/${end}`, { headers: as('private') }));
  return answers;
}

const bodyOf = (answer: RawAnswer) =>
  `${JSON.stringify(answer.headers)} ${answer.body.toString('latin1')}`;

/** What an answer must not have when nobody may know of the module: its content, or its validators. */
function expectNothing(answer: RawAnswer, known: readonly RawAnswer[]): void {
  const all = bodyOf(answer);
  expect(all).not.toContain(MARK);
  expect(all).not.toContain('v1.1.0"');
  for (const { headers } of known) expect(all).not.toContain(headers['etag']);
}

async function keysOf({ miniflare }: Modferry): Promise<{ bucket: string[]; world: string[] }> {
  const bucket = await miniflare.getR2Bucket('FILES');
  const world = await miniflare.getKVNamespace('META');
  return {
    bucket: (await bucket.list()).objects.map(({ key }) => key),
    world: (await world.list()).keys.map(({ name }) => name),
  };
}

describe('a private module that was warmed', () => {
  let modferry: Modferry;
  let known: readonly RawAnswer[];
  beforeAll(async () => {
    modferry = await start();
    known = await warm(modferry);
    return () => modferry.close();
  });
  const ask = (target: string, options?: RawOptions) => rawRequest(modferry.url, target, options);

  it('is served whole to those who may have it, for their own caches alone', async () => {
    expect(known.map(({ status }) => status)).toEqual(ENDS.map(() => 200));
    for (const { headers } of [...known, ...(await warm(modferry))]) {
      expect(headers['cache-control']).toMatch(/^(private\b|no-store)/);
      expect(headers['cache-control']).not.toMatch(/public|s-maxage/);
      expect(headers).not.toHaveProperty('cloudflare-cdn-cache-control');
    }
  });

  it('is fetched once, but for what may change', async () => {
    const before = corp.requests.length;
    await warm(modferry);
    const again = corp.requests.slice(before).map(({ path }) => path.replace(/.*@v/, '@v'));
    expect(again).toEqual(['@v/list', '@v/list', '@v/main.info']);
  });

  it('is there below /cached-only/ for those who may have it', async () => {
    for (const end of ENDS) {
      const { status } = await ask(`/cached-only/${ESCAPED}/${end}`, { headers: as('private') });
      expect([end, status]).toEqual([end, 200]);
    }
  });

  const SPELLINGS: readonly string[] = [
    ...ENDS.map((end) => `/${ESCAPED}/${end}`),
    ...ENDS.map((end) => `/cached-only/${ESCAPED}/${end}`),
    '/corp.example/%21secret/@v/v1.1.0.mod',
    '/corp.ex%61mple/!secret/@v/v1.1.0.mod',
    '/%63orp.example/!secret/@v/v1.1.0.mod',
    '/corp.example/!secret/@v/v1.1.0%2Emod',
    '/corp.example/!secret/%40v/v1.1.0.mod',
    '/corp.example%2F!secret/@v/v1.1.0.mod',
    '/cached-only%2Fcorp.example/!secret/@v/v1.1.0.mod',
    '/%63ached-only/corp.example/!secret/@v/v1.1.0.mod',
    '/cached-only/cached-only/corp.example/!secret/@v/v1.1.0.mod',
    '//corp.example/!secret/@v/v1.1.0.mod',
    '/corp.example//!secret/@v/v1.1.0.mod',
    '/corp.example/!secret/@v/v1.1.0.mod/',
    '/corp.example/!secret/@v/v1.1.0.mod?token=x&v=2',
    '/corp.example/!secret/@v/v1.1.0.mod?',
    '/corp.example/Secret/@v/v1.1.0.mod',
    '/corp.example/secret/@v/v1.1.0.mod',
    '/CORP.EXAMPLE/!secret/@v/v1.1.0.mod',
    '/corp.example/!SECRET/@v/v1.1.0.mod',
    '/./corp.example/!secret/@v/v1.1.0.mod',
    '/open.example/../corp.example/!secret/@v/v1.1.0.mod',
    '/open.example/%2e%2e/corp.example/!secret/@v/v1.1.0.mod',
    `/private/${ESCAPED}/@v/v1.1.0.mod`,
    `/hosted/${ESCAPED}/@v/v1.1.0.mod`,
    `/-/edge/${encodeURIComponent(`${ESCAPED}/@v/v1.1.0.mod`)}`,
    `/-/edge/${encodeURIComponent(`private/${ESCAPED}/@v/v1.1.0.mod`)}`,
    `/-/modules/${PATH}`,
    `/-/modules/${ESCAPED}`,
    `/sumdb/sum.golang.org/lookup/${ESCAPED}@v1.1.0`,
    `/cached-only/sumdb/sum.golang.org/lookup/${ESCAPED}@v1.1.0`,
  ];

  const CALLERS: readonly (readonly [string, Readonly<Record<string, string>>])[] = [
    ['anonymous', {}],
    ['with a read token', as('read')],
    ['with a wrong token', { Authorization: 'Bearer the-private-token-9999999999' }],
    ['with half of a token', { Authorization: 'Bearer the-private-token' }],
    ['with credentials that cannot be read', { Authorization: 'Basic %%%' }],
    ['with a token in another header', { 'X-Token': 'the-private-token-0123456789' }],
  ];

  const METHODS: readonly RawOptions[] = [
    {},
    { method: 'HEAD' },
    { headers: { Range: 'bytes=0-99' } },
    { headers: { 'Disable-Module-Fetch': 'true' } },
    { headers: { 'X-Forwarded-Proto': 'https', 'X-Original-URL': `/${ESCAPED}/@v/v1.1.0.mod` } },
  ];

  it.each(CALLERS)('is for nobody who asks %s, in whatever spelling', async (_, credentials) => {
    const asked = corp.count();
    for (const target of SPELLINGS) {
      for (const { method, headers } of METHODS) {
        const answer = await ask(target, {
          ...(method === undefined ? {} : { method }),
          headers: { ...headers, ...credentials },
        });
        expect([target, answer.status]).toEqual([target, expect.toSatisfy(isTurnedAway)]);
        expectNothing(answer, known);
      }
    }
    expect([corp.count(), outside.count(PATH), outside.count(ESCAPED)]).toEqual([asked, 0, 0]);
  });

  it('is 401 to strangers and 403 to readers, whether it exists or not', async () => {
    for (const module of [ESCAPED, 'corp.example/nothing']) {
      for (const end of ENDS) {
        for (const below of ['', '/cached-only']) {
          const target = `${below}/${module}/${end}`;
          const statuses = [
            (await ask(target)).status,
            (await ask(target, { headers: { Authorization: 'Bearer wrong' } })).status,
            (await ask(target, { headers: as('read') })).status,
          ];
          expect([target, statuses]).toEqual([target, [401, 401, 403]]);
        }
      }
    }
  });

  it('does not say 304 to those who know its ETag', async () => {
    for (const [index, end] of ENDS.entries()) {
      const etag = known[index]?.headers['etag'] ?? '';
      const right = { 'If-None-Match': etag };
      expect((await ask(`/${ESCAPED}/${end}`, { headers: right })).status).toBe(401);
      const reader = { ...right, ...as('read') };
      expect((await ask(`/${ESCAPED}/${end}`, { headers: reader })).status).toBe(403);
      const mine = await ask(`/${ESCAPED}/${end}`, { headers: { ...right, ...as('private') } });
      expect([mine.status, mine.headers['cache-control']]).toEqual([
        304,
        expect.stringMatching(/^private/),
      ]);
    }
  });

  it.each(['evil.example', 'go.example.com:8080', 'corp.example', '127.0.0.1:1', '[::1]'])(
    'is not found under the host %s',
    async (Host) => {
      for (const end of ENDS) {
        const answer = await ask(`/${ESCAPED}/${end}`, { headers: { Host } });
        expect([end, answer.status]).toEqual([end, 401]);
      }
    },
  );

  it('lies below private/ alone: not in KV, and not in the edge cache', async () => {
    await rawRequest(modferry.url, `/${OPEN}/@v/v1.1.0.mod`);
    const { bucket, world } = await keysOf(modferry);
    const secret = bucket.filter((key) => key.includes('secret'));
    expect(secret.length).toBeGreaterThanOrEqual(5);
    for (const key of secret) expect(key).toMatch(/^private\//);
    expect(world.filter((key) => key.includes('secret'))).toEqual([]);
    const { default: edge } = await modferry.miniflare.getCaches();
    for (const end of ENDS) {
      for (const name of [`${ESCAPED}/${end}`, `private/${ESCAPED}/${end}`])
        expect([name, await edge.match(entryAddress('127.0.0.1', name))]).toEqual([
          name,
          undefined,
        ]);
    }
    // What is looked for in the edge cache is there for a public module.
    expect(await edge.match(entryAddress('127.0.0.1', `${OPEN}/@v/v1.1.0.mod`))).toBeDefined();
  });

  it('is in no line of the log with its content, and no token is', async () => {
    const log = JSON.stringify(modferry.log);
    expect(log).not.toContain(MARK);
    expect(log).not.toContain('the-private-token-0123456789');
  });
});

/** What may be said to somebody who may not know: 401 and 403, and 404 for what is no such path. */
function isTurnedAway(status: number): boolean {
  return status === 401 || status === 403 || status === 404;
}

/** A modferry on the files of another one that has fetched a module. */
async function restarted(before: StartOptions, after: StartOptions, path = ESCAPED) {
  const first = await start(before);
  const { stateDirectory } = first;
  const warmed = await warm(first, path);
  await first.stop();
  const modferry = await start({ ...after, stateDirectory });
  onTestFinished(() => modferry.close());
  outside.reset();
  corp.reset();
  return { modferry, warmed };
}

describe('after a restart on the same files', () => {
  it('a module that was public and is private now is not served from the public copy', async () => {
    const isPublic = { variables: { ORIGINS: outside.url } };
    const { modferry, warmed } = await restarted(isPublic, {});
    expect(warmed.map(({ status }) => status)).toEqual(ENDS.map(() => 200));
    for (const end of ENDS) {
      const stranger = await rawRequest(modferry.url, `/${ESCAPED}/${end}`);
      expect([end, stranger.status]).toEqual([end, 401]);
      const mine = await rawRequest(modferry.url, `/${ESCAPED}/${end}`, { headers: as('private') });
      expect(bodyOf(mine)).not.toContain('lure');
      expect(mine.body.toString('latin1')).not.toContain('v1.99.0');
    }
    const mod = await rawRequest(modferry.url, `/${ESCAPED}/@v/v1.1.0.mod`, {
      headers: as('private'),
    });
    expect(mod.body.toString()).toContain(MARK);
    expect(outside.count()).toBe(0);
  });

  it('a module that was private and is public now is not served from the private copy', async () => {
    const { modferry } = await restarted({}, { variables: { ORIGINS: outside.url } });
    for (const end of ENDS) {
      const stranger = await rawRequest(modferry.url, `/${ESCAPED}/${end}`);
      expect([end, stranger.status]).toEqual([end, 200]);
      expect(bodyOf(stranger)).not.toContain(MARK);
    }
    expect(outside.count()).toBeGreaterThan(0);
    expect(corp.count()).toBe(0);
  });

  it('the same holds while every origin is down', async () => {
    const { modferry } = await restarted({}, { variables: { ORIGINS: outside.url } });
    outside.fault(500);
    for (const end of ENDS) {
      const stranger = await rawRequest(modferry.url, `/${ESCAPED}/${end}`);
      expect([end, stranger.status]).toEqual([end, 502]);
    }
  });

  it('PRIVATE that covers it takes the public copy away from everybody', async () => {
    const isPublic = { variables: { ORIGINS: outside.url } };
    const covered = { variables: { ORIGINS: outside.url, PRIVATE: 'corp.example' } };
    const { modferry } = await restarted(isPublic, covered);
    for (const end of ENDS) {
      const statuses = [];
      for (const headers of [{}, as('read'), as('private')])
        statuses.push((await rawRequest(modferry.url, `/${ESCAPED}/${end}`, { headers })).status);
      expect([end, statuses]).toEqual([end, [401, 403, 404]]);
    }
    expect(outside.count()).toBe(0);
  });

  it('ACCESS=private closes what was stored for everybody, and opens nothing private to readers', async () => {
    const closed = { variables: { ACCESS: 'private' } };
    const { modferry } = await restarted({}, closed, OPEN);
    for (const end of ENDS) {
      const target = `/${OPEN}/${end}`;
      expect((await rawRequest(modferry.url, target)).status).toBe(401);
      const mine = await rawRequest(modferry.url, target, { headers: as('read') });
      expect([mine.status, mine.headers['cache-control']]).toEqual([
        200,
        expect.stringMatching(/^private/),
      ]);
      expect(mine.headers).not.toHaveProperty('cloudflare-cdn-cache-control');
    }
    expect(
      (await rawRequest(modferry.url, `/${ESCAPED}/@v/list`, { headers: as('read') })).status,
    ).toBe(403);
  });
});
