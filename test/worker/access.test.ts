import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccessMode } from '../../src/access/gate.ts';
import { type Scope, SCOPES } from '../../src/access/scope.ts';
import { twoVersions } from '../conformance/own-module.ts';
import { rawRequest } from '../conformance/raw-request.ts';
import type { FakeServer } from '../fakes/origin/fake-server.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { createLog, startLogServer } from '../fakes/sumdb/transparency-log.ts';
import { as } from '../fakes/tokens.ts';
import { goSums } from '../fakes/origin/module.ts';
import { type Modferry, startModferry } from './modferry.ts';

/** Who may what: each cell is a request. */

const FILES = [
  '@v/list',
  '@latest',
  '@v/main.info',
  '@v/v1.1.0.info',
  '@v/v1.1.0.mod',
  '@v/v1.1.0.zip',
];

const CALLERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  none: {},
  wrong: { Authorization: 'Bearer 0123456789abcdef' },
  unreadable: { Authorization: 'Basic !' },
  ...Object.fromEntries(SCOPES.map((scope) => [scope, as(scope)])),
};

interface Resource {
  readonly path: string;
  /** The statuses of `none`, of wrong credentials, and of the scopes in their order. */
  readonly statuses: readonly [number, number, number, number, number, number];
}

const PUBLIC = 'open.example/tool';
const PRIVATE = 'corp.example/tool';
/** PRIVATE covers it, and no origin serves it. */
const LOST = 'lost.example/tool';

let log: ReturnType<typeof createLog>;

function resources(mode: AccessMode): readonly Resource[] {
  const none = mode === 'public' ? 200 : 401;
  const sumdb = `/sumdb/${log.name}`;
  const rows: Resource[] = [];
  const add = (statuses: Resource['statuses'], paths: readonly string[]) =>
    rows.push(...paths.map((path) => ({ path, statuses })));
  add([200, 200, 200, 200, 200, 200], ['/healthz', '/robots.txt']);
  add(
    [none, 401, 200, 200, 200, 200],
    [
      '/',
      ...FILES.flatMap((file) => [`/${PUBLIC}/${file}`, `/cached-only/${PUBLIC}/${file}`]),
      `${sumdb}/supported`,
      `${sumdb}/latest`,
      `${sumdb}/lookup/${PUBLIC}@v1.1.0`,
      `/cached-only${sumdb}/lookup/${PUBLIC}@v1.1.0`,
    ],
  );
  const missing = mode === 'public' ? 404 : 401;
  add(
    [missing, 401, 404, 404, 404, 404],
    ['/open.example/nothing/@v/list', '/nonsense', '/-/nonsense', `${sumdb}/nonsense`],
  );
  add(
    [401, 401, 403, 200, 200, 200],
    FILES.flatMap((file) => [`/${PRIVATE}/${file}`, `/cached-only/${PRIVATE}/${file}`]),
  );
  add(
    [401, 401, 403, 404, 404, 404],
    [
      ...['@v/list', '@latest', '@v/v9.9.9.info', '@v/v9.9.9.mod', '@v/v9.9.9.zip'].flatMap(
        (file) => [`/${LOST}/${file}`, `/cached-only/${LOST}/${file}`],
      ),
      `/${PRIVATE}/@v/v9.9.9.info`,
      '/corp.example/nothing/@v/list',
    ],
  );
  const refused = mode === 'public' ? 403 : 401;
  add(
    [refused, 401, 403, 403, 403, 403],
    [
      `${sumdb}/lookup/${PRIVATE}@v1.1.0`,
      `${sumdb}/lookup/${LOST}@v1.1.0`,
      `/cached-only${sumdb}/lookup/${PRIVATE}@v1.1.0`,
    ],
  );
  add([401, 401, 200, 200, 200, 200], ['/-/api/origins']);
  add([401, 401, 403, 403, 403, 404], ['/-/api/', '/-/api/nonsense']);
  return rows;
}

const COLUMNS: readonly string[] = ['none', 'wrong', ...SCOPES];

describe.each<AccessMode>(['public', 'private'])('with ACCESS=%s', (ACCESS) => {
  let origin: FakeOrigin;
  let corp: FakeOrigin;
  let database: FakeServer;
  let modferry: Modferry;
  beforeAll(async () => {
    log = createLog();
    for (const lines of goSums([twoVersions(PUBLIC)])) log.add(lines);
    database = await startLogServer(log);
    origin = await startOrigin({ modules: [twoVersions(PUBLIC), twoVersions(PRIVATE)] });
    corp = await startOrigin({ modules: [twoVersions(PRIVATE)] });
    modferry = await startModferry({
      variables: {
        ACCESS,
        PRIVATE: 'lost.example',
        ORIGINS: JSON.stringify([
          { name: 'corp', url: corp.url, modules: 'corp.example' },
          { url: origin.url },
        ]),
        SUMDBS: `${log.verifierKey} ${database.url}`,
        VERIFY: 'off',
      },
    });
  });
  afterAll(async () => {
    await modferry.close();
    await Promise.all([origin.close(), corp.close(), database.close()]);
  });

  /** What this caller gets, and whether that is right. */
  async function problemsOf(caller: string, { path, statuses }: Resource): Promise<string[]> {
    const column = caller === 'unreadable' ? 1 : COLUMNS.indexOf(caller);
    const expected = statuses[column];
    const problems: string[] = [];
    for (const method of ['GET', 'HEAD']) {
      const headers = CALLERS[caller] ?? {};
      const answer = await rawRequest(modferry.url, path, { method, headers });
      const where = `${method} ${path} by ${caller}`;
      const isNeeded = statuses[0] === 401 && answer.status < 400;
      const cache = answer.headers['cache-control'] ?? '';
      if (answer.status !== expected) problems.push(`${where}: ${answer.status}, not ${expected}`);
      if (isNeeded && !/\bprivate\b|no-store/.test(cache)) problems.push(`${where}: ${cache}`);
      if (
        isNeeded &&
        (/public|s-maxage/.test(cache) || answer.headers['cloudflare-cdn-cache-control'])
      )
        problems.push(`${where}: a shared cache may keep it`);
      if (answer.status === 401 || answer.status === 403)
        problems.push(...refusalProblems(answer, where));
    }
    return problems;
  }

  /** Cold, then warm, and again for those who may not when others have made it warm. */
  it('each caller gets what the table says, cold and warm', async () => {
    const all = resources(ACCESS);
    const problems: string[] = [];
    const order = ['none', 'wrong', 'unreadable', ...SCOPES];
    for (const caller of [...order, ...order]) {
      for (const resource of all) {
        // Nothing is stored before somebody has asked for it.
        const isFirst = resource.path.startsWith('/cached-only');
        if (isFirst && resource.statuses.at(-1) === 200)
          await rawRequest(modferry.url, resource.path.slice('/cached-only'.length), {
            headers: as('admin'),
          });
        problems.push(...(await problemsOf(caller, resource)));
      }
    }
    expect(problems).toEqual([]);
  }, 240_000);

  it('no public origin has heard of a private module, and no database', async () => {
    const seen = [...origin.requests, ...database.requests].map(({ path }) => path);
    expect(seen.filter((path) => /corp\.example|lost\.example/.test(path))).toEqual([]);
    expect(corp.requests.map(({ path }) => path).join()).not.toContain('open.example');
  });

  it.each<Scope>(['read', 'private'])(
    'the credentials of a client reach no origin (%s)',
    async (scope) => {
      await rawRequest(modferry.url, `/${PRIVATE}/@v/v1.0.0.info`, { headers: as(scope) });
      for (const server of [origin, corp, database])
        expect(JSON.stringify(server.requests)).not.toMatch(
          /authorization|the-(read|private)-token/i,
        );
    },
  );
});

/** The form of 401 and 403, which say nothing of what exists. */
function refusalProblems(
  { body, headers, status }: Awaited<ReturnType<typeof rawRequest>>,
  where: string,
): readonly string[] {
  const problems: string[] = [];
  if (headers['cache-control'] !== 'no-store')
    problems.push(`${where}: ${headers['cache-control']}`);
  const challenge = headers['www-authenticate'];
  if (challenge !== (status === 401 ? 'Basic realm="modferry"' : undefined))
    problems.push(`${where}: WWW-Authenticate is ${challenge}`);
  if (body.length > 600) problems.push(`${where}: a text of ${body.length} bytes`);
  const isJson = where.includes(' /-/api/');
  const type = isJson ? 'application/json' : 'text/plain; charset=utf-8';
  if (headers['content-type'] !== type) problems.push(`${where}: ${headers['content-type']}`);
  return problems;
}
