import { hashGoMod } from '../../fakes/zip/dirhash.ts';
import { type FakeModule, infoJSON, versionOf, zipHash } from '../../fakes/origin/module.ts';
import {
  azureThing,
  CHECK_V1,
  checkV1,
  hello,
  HELLO_DEV,
  legacy,
  pseudo,
  toolchain,
  yamlV2,
} from '../../fakes/origin/modules.ts';
import { type FileKind, HIT_STATUS, JSON_TYPE, TEXT, ZIP } from '../headers.ts';
import { ownModule } from '../own-module.ts';
import type { Row } from '../row.ts';
import { EXPIRE, file, get, nearEntry, nothingStored, override } from '../steps.ts';

// Rows 1 to 23 and 34: what a go command asks for, and what a good origin has. The first request
// for a file is the only one that an origin gets, so no path stands in two rows.

const HELLO = '/example.com/hello';
const TOOLCHAIN = 'v0.0.1-go1.90.0.linux-amd64';
const released = hello();

const fileOf = (module: FakeModule, version: string, kind: 'info' | 'mod' | 'zip') =>
  versionOf(module, version)[kind] as string | Uint8Array;
const query = (module: FakeModule, name: string) => module.queries[name] ?? '';

type ColdFile = readonly [
  row: number,
  what: string,
  target: string,
  kind: FileKind,
  body: string | Uint8Array,
];

const COLD_FILES: readonly ColdFile[] = [
  [1, 'a list', `${HELLO}/@v/list`, 'list', released.list],
  [2, 'an .info', `${HELLO}/@v/v1.1.0.info`, 'info', fileOf(released, 'v1.1.0', 'info')],
  [3, 'a .mod', `${HELLO}/@v/v1.1.0.mod`, 'mod', fileOf(released, 'v1.1.0', 'mod')],
  [4, 'a .zip', `${HELLO}/@v/v1.1.0.zip`, 'zip', fileOf(released, 'v1.1.0', 'zip')],
  [5, '@latest', `${HELLO}/@latest`, 'latest', released.latest ?? ''],
  [13, 'a branch', `${HELLO}/@v/master.info`, 'query', query(released, 'master')],
  [14, 'an upper-case branch', `${HELLO}/@v/%21dev.info`, 'query', query(released, 'Dev')],
  [
    15,
    'a commit of twelve digits',
    `${HELLO}/@v/0123456789ab.info`,
    'query',
    query(released, '0123456'),
  ],
  [15, 'a commit of seven digits', `${HELLO}/@v/0123456.info`, 'query', query(released, '0123456')],
  [17, 'an empty list', '/example.com/pseudo/@v/list', 'list', ''],
  [
    18,
    '@latest of a module without tags',
    '/example.com/pseudo/@latest',
    'latest',
    pseudo().latest ?? '',
  ],
  [
    19,
    'the .info of a gopkg.in path',
    '/gopkg.in/yaml.v2/@v/v2.2.1.info',
    'info',
    fileOf(yamlV2(), 'v2.2.1', 'info'),
  ],
  [
    20,
    'the .mod of a v0 pseudo-version on a .v1 path',
    `/gopkg.in/check.v1/@v/${CHECK_V1}.mod`,
    'mod',
    fileOf(checkV1(), CHECK_V1, 'mod'),
  ],
  [
    21,
    'the .zip of a toolchain, requested before its .info,',
    `/golang.org/toolchain/@v/${TOOLCHAIN}.zip`,
    'zip',
    fileOf(toolchain(), TOOLCHAIN, 'zip'),
  ],
  [22, 'the list of toolchains', '/golang.org/toolchain/@v/list', 'list', toolchain().list],
  [
    34,
    'a synthetic go.mod',
    '/example.com/legacy/@v/v1.0.0.mod',
    'mod',
    'module example.com/legacy\n',
  ],
];

function coldFile([row, what, target, kind, body]: ColdFile): Row {
  const expected = file(kind, {
    body,
    requests: 1,
    headers: {
      'content-length': String(Buffer.byteLength(body)),
      'cache-status': /fwd=uri-miss; fwd-status=200/,
    },
    sent: { target },
  });
  return {
    row,
    title: `${what} has exactly the bytes of the origin, after one request to it`,
    steps: [get(target, expected)],
  };
}

const HASHED = versionOf(released, 'v0.1.0');
const HASHES: Row = {
  row: [3, 4],
  title: 'a .mod and a .zip have the hashes of go.sum',
  steps: [
    get(`${HELLO}/@v/v0.1.0.mod`, { status: 200, h1: hashGoMod(HASHED.mod) }),
    get(`${HELLO}/@v/v0.1.0.zip`, { status: 200, h1: zipHash(HASHED) }),
  ],
};

/** The near tier answers the second request, the others the third. */
function warmFile(kind: 'info' | 'mod' | 'zip'): Row {
  const target = `${HELLO}/@v/v1.0.0.${kind}`;
  const warm = file(kind, {
    requests: 0,
    headers: { 'cache-status': HIT_STATUS },
    like: { to: 'first', headers: ['etag'] },
  });
  return {
    row: 6,
    title: `a .${kind} is fetched once and then served from the stores`,
    steps: [
      get(target, file(kind, { requests: 1 }), { as: 'first' }),
      get(target, warm),
      EXPIRE,
      get(target, warm),
    ],
  };
}

const MOVED = infoJSON('example.com/hello', HELLO_DEV);
const HEAD_KEY = 'example.com/hello/@v/!h!e!a!d.info';
const HEAD_TARGET = `${HELLO}/@v/%21h%21e%21a%21d.info`;
const OWN_MINUTE = ownModule('minute');

const SPELLINGS: readonly Row[] = [
  {
    row: [7, 8],
    title: '%21 and ! are two spellings of one entry',
    steps: [
      get('/github.com/%21azure/%21thing/@v/v1.0.0.info', file('info', { requests: 1 })),
      get(
        '/github.com/!azure/!thing/@v/v1.0.0.info',
        file('info', { requests: 0, body: fileOf(azureThing(), 'v1.0.0', 'info') }),
      ),
    ],
  },
  {
    row: 9,
    title: 'the names in a zip are not escaped',
    steps: [
      get(
        '/github.com/%21azure/%21thing/@v/v1.0.1-%21r%21c1.zip',
        file('zip', { requests: 1, entriesBelow: 'github.com/Azure/Thing@v1.0.1-RC1/' }),
      ),
    ],
  },
  {
    row: [10, 11],
    title: '+ and %2B are two spellings of one entry',
    steps: [
      get('/example.com/legacy/@v/v3.0.0+incompatible.mod', file('mod', { requests: 1 })),
      get(
        '/example.com/legacy/@v/v3.0.0%2Bincompatible.mod',
        file('mod', { requests: 0, body: 'module example.com/legacy\n' }),
      ),
    ],
  },
];

const QUERIES: readonly Row[] = [
  {
    row: 12,
    title: 'v3.0.0.info answers +incompatible and is not stored as immutable',
    steps: [
      get(
        '/example.com/legacy/@v/v3.0.0.info',
        file('query', { requests: 1, body: query(legacy(), 'v3.0.0') }),
      ),
      EXPIRE,
      get('/example.com/legacy/@v/v3.0.0.info', { status: 200, requests: 1 }),
      nothingStored('example.com/legacy/@v/v3.0.0.info', 'world'),
    ],
  },
  {
    row: 13,
    title: 'a branch that moved is served when its entry has expired',
    steps: [
      get(HEAD_TARGET, { status: 200 }),
      nearEntry('file', HEAD_KEY),
      override(`/${HEAD_KEY}`, { headers: { 'content-type': JSON_TYPE }, body: MOVED }),
      get(HEAD_TARGET, { status: 200, requests: 0 }),
      EXPIRE,
      get(HEAD_TARGET, file('query', { requests: 1, body: MOVED })),
    ],
  },
  {
    row: 13,
    title: 'the near tier keeps a mutable file for a minute',
    modules: [OWN_MINUTE],
    steps: [
      get(`/${OWN_MINUTE.path}/@v/list`, { status: 200 }),
      nearEntry('file', `${OWN_MINUTE.path}/@v/list`, 60),
    ],
  },
  {
    row: 16,
    title: 'v1.1.0+meta that the origin does not have is 404',
    steps: [get(`${HELLO}/@v/v1.1.0+meta.info`, { status: 404, requests: 1 })],
  },
];

type FileType = readonly [kind: FileKind, end: string, type: string];
const FILE_TYPES: readonly FileType[] = [
  ['list', '@v/list', TEXT],
  ['latest', '@latest', JSON_TYPE],
  ['info', '@v/v1.1.0.info', JSON_TYPE],
  ['mod', '@v/v1.1.0.mod', TEXT],
  ['zip', '@v/v1.1.0.zip', ZIP],
];

function withQueryString([kind, end, type]: FileType): Row {
  const module = ownModule(`query-string-${kind}`);
  const path = `/${module.path}/${end}`;
  const same = file(kind, { type, requests: 0, like: { to: 'first' } });
  return {
    row: 23,
    title: `a query string changes neither ${end} nor its entry`,
    modules: [module],
    steps: [
      get(`${path}?x=1`, file(kind, { type, requests: 1, sent: { target: path } }), {
        as: 'first',
      }),
      nearEntry('file', path.slice(1)),
      get(`${path}?x=2&@v/list`, same),
      get(path, same),
    ],
  };
}

export const GOOD_INPUT: readonly Row[] = [
  ...COLD_FILES.map(coldFile),
  HASHES,
  ...(['info', 'mod', 'zip'] as const).map(warmFile),
  ...SPELLINGS,
  ...QUERIES,
  ...FILE_TYPES.map(withQueryString),
];
