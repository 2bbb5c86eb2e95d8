import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fixtureModules } from '../fakes/origin/modules.ts';
import { type FakeOrigin, startOrigin } from '../fakes/origin/origin.ts';
import { as, tokenOf } from '../fakes/tokens.ts';
import { type Modferry, startModferry } from './modferry.ts';

const INFO = '/example.com/hello/@v/v1.1.0.info';
const CORP = '/corp.example/tool/@v/list';
const READ = tokenOf('read');
const LOOPBACK = '127.0.0.1:8787';

let origin: FakeOrigin;
let modferry: Modferry;
beforeAll(async () => {
  origin = await startOrigin({ modules: fixtureModules() });
  const variables = { ORIGINS: origin.url, ACCESS: 'private', PRIVATE: 'corp.example' };
  modferry = await startModferry({ variables });
});
afterAll(async () => {
  await modferry.close();
  await origin.close();
});

interface Answer {
  readonly status: number;
  /** Lines of the header, without the status line, in lower case up to the colon. */
  readonly headers: readonly string[];
  readonly body: string;
}

/** Sends a request with these lines of the header as they are written here. */
async function ask(
  target: string,
  lines: readonly string[] = [],
  { host = LOOPBACK, method = 'GET' } = {},
): Promise<Answer> {
  const socket = connect(Number(new URL(modferry.url).port), '127.0.0.1');
  await once(socket, 'connect');
  const header = [`Host: ${host}`, 'Connection: close', ...lines];
  socket.write(`${method} ${target} HTTP/1.1\r\n${header.join('\r\n')}\r\n\r\n`);
  const [head = '', body = ''] = (await text(socket)).split(/\r\n\r\n(.*)/s);
  const [start = '', ...headers] = head.split('\r\n');
  return {
    status: Number(start.split(' ')[1]),
    headers: headers.map((line) => line.replace(/^[^:]*/, (name) => name.toLowerCase())),
    body,
  };
}

/** The lines that do not differ from one request to the next. */
function lasting(lines: readonly string[]): readonly string[] {
  return lines.filter(
    (line) => !/^(x-request-id|server-timing|cache-status|connection):/.test(line),
  );
}

function anonymize({ body, status }: Answer) {
  return { status, text: body.replace(/\(request .*/, '') };
}

const statusOf = async (...lines: string[]) => (await ask(INFO, lines)).status;
const basic = (words: string) => `Basic ${btoa(words)}`;

describe('Authorization', () => {
  it.each([
    `Bearer ${READ}`,
    `bearer ${READ}`,
    `BEARER  ${READ}`,
    basic(`ann:${READ}`),
    basic(`:${READ}`),
    basic(`${READ}:`),
    basic(`wrong:${READ}`).replace('Basic', 'bASIC'),
  ])('%s is accepted', async (value) => {
    expect(await statusOf(`Authorization: ${value}`)).toBe(200);
    expect(await statusOf(`AUTHORIZATION:   ${value}  `)).toBe(200);
  });

  it.each([
    '', // workerd passes on no header without a value
    'Bearer',
    'Basic',
    'Basic !!!',
    'Negotiate abc',
    READ,
    basic(READ),
    basic(`${READ}:wrong`),
    basic(`ann:${READ} `),
    `Bearer ${READ}0`,
    `Bearer ${READ.slice(0, -1)}`,
    `Bearer ${READ.toUpperCase()}`,
    `Bearer ${READ}, Bearer ${READ}`,
  ])('%j is 401, as no credentials are', async (value) => {
    expect(await statusOf(`Authorization: ${value}`)).toBe(401);
    expect(await statusOf()).toBe(401);
  });

  it.each([
    [`Bearer ${READ}`, `Bearer ${READ}`],
    [`Bearer ${READ}`, basic('ann:wrong')],
    [basic('ann:wrong'), `Bearer ${READ}`],
    [basic(`ann:${READ}`), basic(`ann:${READ}`)],
    [`Bearer ${READ}`, ''],
  ])('twice in one request, %j and %j, is 401', async (first, second) => {
    const lines = [`Authorization: ${first}`, `authorization: ${second}`];
    expect(await statusOf(...lines)).toBe(401);
  });

  it.each(['Proxy-Authorization', 'X-Authorization', 'Cookie'])(
    '%s is not looked at',
    async (n) => {
      expect(await statusOf(`${n}: Bearer ${READ}`)).toBe(401);
    },
  );
});

describe('over http', () => {
  it.each([LOOPBACK, 'localhost', 'localhost:1', '127.8.7.6:80', '[::1]:8787', 'LOCALHOST'])(
    'a token is accepted with the Host %s',
    async (host) => {
      const { status } = await ask(INFO, [`Authorization: Bearer ${READ}`], { host });
      expect(status).toBe(200);
    },
  );

  it.each(['go.example.com', '10.0.0.1:8787', '[::2]', 'localhost.example', '127.0.0.1.example'])(
    'credentials with the Host %s are 403, right, wrong or unreadable',
    async (host) => {
      const all = [`Bearer ${READ}`, 'Bearer wrong', basic('a:b'), 'x'];
      const header = ['X-Forwarded-Proto: https', 'Forwarded: proto=https;host=localhost'];
      for (const target of [INFO, CORP, '/', '/readyz', '/sumdb/sum.golang.org/supported']) {
        for (const value of all) {
          const lines = [`Authorization: ${value}`, ...header];
          const { body, headers, status } = await ask(target, lines, { host });
          expect({ status, body }).toEqual({ status: 403, body: expect.stringContaining('https') });
          expect(headers).toContain('cache-control: no-store');
        }
      }
      expect((await ask(INFO, [], { host })).status).toBe(401);
      expect((await ask('/healthz', [`Authorization: x`], { host })).status).toBe(200);
    },
  );
});

describe('an answer 401', () => {
  const HOSTS = [LOOPBACK, 'go.example.com', `${'long.'.repeat(49)}example`];

  it.each(HOSTS)('says how to log in at %s, in few words, and is kept nowhere', async (host) => {
    const { body, headers, status } = await ask(INFO, [], { host });
    expect(status).toBe(401);
    expect(headers.filter((line) => line.startsWith('www-authenticate'))).toEqual([
      'www-authenticate: Basic realm="modferry"',
    ]);
    expect(headers).toContain('cache-control: no-store');
    expect(headers).toContain('content-type: text/plain; charset=utf-8');
    expect(body.trimEnd().split('\n').length).toBeLessThanOrEqual(8);
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(600);
    expect(body).toContain('~/.netrc');
    expect(body).toContain('GOPROXY=https://');
  });

  it('is the same for a module that exists and for one that does not', async () => {
    const there = await ask(INFO);
    const nowhere = await ask('/example.com/no/@v/v1.1.0.info');
    const secret = await ask(CORP);
    expect(anonymize(nowhere)).toEqual(anonymize(there));
    expect(anonymize(secret)).toEqual(anonymize(there));
  });

  it('is JSON below /-/api/', async () => {
    const { body, headers, status } = await ask('/-/api/origins');
    expect(status).toBe(401);
    expect(headers).toContain('content-type: application/json');
    expect(headers).toContain('www-authenticate: Basic realm="modferry"');
    expect(JSON.parse(body)).toEqual({ error: expect.stringContaining('needs a token') });
  });
});

it('a scope that is too small is 403 and named, whether the module exists or not', async () => {
  const { body, headers, status } = await ask(CORP, [`Authorization: ${as('read').Authorization}`]);
  expect(status).toBe(403);
  expect(body).toContain('scope private');
  expect(headers).toContain('cache-control: no-store');
});

describe('HEAD has the status and the headers of GET, and no body:', () => {
  const ROWS = [
    '/',
    '/healthz',
    '/robots.txt',
    '/readyz',
    INFO,
    CORP,
    '/-/api/origins',
    '/-/api/x',
  ];
  const CALLERS = [[], ['Authorization: Bearer wrong'], [`Authorization: Bearer ${READ}`]];

  it.each(ROWS)('%s', async (target) => {
    for (const lines of CALLERS) {
      await ask(target, lines); // stores what it finds
      const get = await ask(target, lines);
      const head = await ask(target, lines, { method: 'HEAD' });
      // The text of /readyz has milliseconds in it, and so a length of its own each time.
      const shown = (headers: readonly string[]) =>
        lasting(headers).filter(
          (line) => target !== '/readyz' || !line.startsWith('content-length'),
        );
      expect({ ...head, headers: shown(head.headers) }).toEqual({
        status: get.status,
        headers: shown(get.headers),
        body: '',
      });
    }
  });
});
