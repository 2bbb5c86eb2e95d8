import { tokenOf } from '../../fakes/tokens.ts';
import { hello } from '../../fakes/origin/modules.ts';
import { ownModule } from '../own-module.ts';
import type { Row } from '../row.ts';
import type { RawOptions } from '../raw-request.ts';
import { failure, file, get, sent } from '../steps.ts';

// Rows 109 to 116 without 115: methods, and headers that a client may send.

const LIST = '/example.com/hello/@v/list';
const LIST_BODY = hello().list;

const METHODS: readonly Row[] = [
  'POST',
  'PUT',
  'DELETE',
  'PATCH',
  'PROPFIND',
  'OPTIONS',
  'TRACE',
].map((method) => ({
  row: [109, 110],
  title: `${method} is 405 with the methods that are allowed`,
  steps: [LIST, '/', '/sumdb/sum.golang.org/supported', '/nothing'].map((target) =>
    get(
      target,
      {
        ...failure(405, 0),
        headers: { allow: 'GET, HEAD', 'access-control-allow-origin': undefined },
      },
      { method },
    ),
  ),
}));

const LARGE: readonly (readonly [what: string, options: RawOptions])[] = [
  ['a body', { body: 'x'.repeat(10_000) }],
  ['Expect: 100-continue', { headers: { Expect: '100-continue' } }],
  ['60 kB of headers', { headers: { 'X-Large': 'x'.repeat(60_000) } }],
  [
    'three hundred headers',
    { headers: Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`X-${at}`, 'x'])) },
  ],
];

const LARGE_REQUESTS: readonly Row[] = LARGE.map(([what, options]) => ({
  row: 111,
  title: `GET with ${what} is answered as without`,
  steps: [get(LIST, { status: 200, body: LIST_BODY }, options)],
}));

const HOSTS = ownModule('hosts');
const MISLEADING: readonly Row[] = [
  {
    row: 112,
    title: 'another Host and an absolute target lead to the same file and the same entry',
    modules: [HOSTS],
    steps: [
      get(
        `/${HOSTS.path}/@v/v1.1.0.mod`,
        { status: 200, requests: 1 },
        { headers: { Host: 'evil.example' } },
      ),
      get(`/${HOSTS.path}/@v/v1.1.0.mod`, { status: 200, requests: 0 }),
      get(`http://other.example/${HOSTS.path}/@v/v1.1.0.mod`, { status: 200, requests: 0 }),
      get(`http://other.example/${HOSTS.path}/@v/list`, { status: 200, body: HOSTS.list }),
    ],
  },
  {
    row: 113,
    title: 'headers that name another host or path are ignored',
    steps: [
      get(
        LIST,
        { status: 200, body: LIST_BODY },
        {
          headers: {
            'X-Forwarded-Host': 'evil.example',
            'X-Forwarded-Proto': 'gopher',
            'X-Original-URL': '/github.com/!azure/!thing/@v/list',
            'X-Rewrite-URL': '/github.com/!azure/!thing/@v/list',
            Forwarded: 'host=evil.example',
          },
        },
      ),
      sent('azure', 0),
    ],
  },
];

const SECRETS = {
  Authorization: `Basic ${btoa(`secret:${tokenOf('read')}`)}`,
  Cookie: 'session=secret',
  'Proxy-Authorization': 'secret',
  Referer: 'https://secret.example/',
  'User-Agent': 'secret-agent',
  'X-Custom': 'secret',
  'CF-Connecting-IP': '203.0.113.7',
};

const HEADERS_SENT = [
  'accept-encoding',
  // The zone that the Worker runs in: the platform adds it to every request.
  'cf-worker',
  'host',
  'user-agent',
  // A constant, in place of the client's address that the platform would send.
  'x-real-ip',
];

const FORWARDING: readonly Row[] = [
  '@v/list',
  '@latest',
  '@v/main.info',
  '@v/v1.1.0.info',
  '@v/v1.1.0.mod',
  '@v/v1.1.0.zip',
].map((end, at) => {
  const module = ownModule(`forwarding-${at}`);
  return {
    row: 114,
    title: `nothing that the client sent reaches the origin with a request for ${end}`,
    modules: [module],
    steps: [
      get(
        `/${module.path}/${end}?token=secret`,
        {
          status: 200,
          requests: 1,
          sent: {
            target: `/${module.path}/${end}`,
            headerNames: HEADERS_SENT,
            without: /secret|c2VjcmV0|the-read|203\.0\.113/,
          },
        },
        { headers: SECRETS },
      ),
    ],
  };
});

const REVALIDATION: readonly Row[] = (['info', 'mod', 'zip'] as const).map((kind) => {
  const module = ownModule(`no-cache-${kind}`);
  const target = `/${module.path}/@v/v1.1.0.${kind}`;
  return {
    row: 116,
    title: `no-cache from the client does not fetch a stored .${kind} again`,
    modules: [module],
    steps: [
      get(target, { status: 200 }),
      ...[{ 'Cache-Control': 'no-cache' }, { Pragma: 'no-cache' }].map(
        (headers: Readonly<Record<string, string>>) =>
          get(target, file(kind, { requests: 0 }), { headers }),
      ),
    ],
  };
});

export const CLIENT_HEADERS: readonly Row[] = [
  ...METHODS,
  ...LARGE_REQUESTS,
  ...MISLEADING,
  ...FORWARDING,
  ...REVALIDATION,
];
