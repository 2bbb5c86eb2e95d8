import type { Fault } from '../../fakes/origin/faults.ts';
import { goSum, versionOf } from '../../fakes/origin/module.ts';
import { hello } from '../../fakes/origin/modules.ts';
import { IMMUTABLE, MUTABLE, NEGATIVE, STALE_STATUS, TEXT, TILE } from '../headers.ts';
import { MALFORMED_CHECKSUM_PATHS } from './malformed-checksum-paths.ts';
import { DATABASE_NAME } from './database-name.ts';
import type { Row } from '../row.ts';
import {
  databaseFault,
  EXPIRE,
  failure,
  EMPTY,
  get,
  head,
  MEND,
  nearEntry,
  nothingStored,
  restart,
  sent,
  stop,
} from '../steps.ts';

// Rows 117 to 138: a checksum database by golang.org/x/mod behind the proxy. Only the database may
// be asked for any of this, and only for what it can have.

/** A database of its own, whose name begins with that of the first one. */
export const SECOND_DATABASE_NAME = `${DATABASE_NAME}/v2`;
/** The modules that the target has to treat as private. */
export const PRIVATE_MODULES = '*.corp.example,example.com/secret';

const BASE = `/sumdb/${DATABASE_NAME}`;
const FILE = { status: 200, type: TEXT, cache: IMMUTABLE };
const TILE_FILE = { ...FILE, type: TILE };

/**
 * To prove an answer the proxy reads tiles besides: after this lookup it has those of every record
 * of the fixture modules, so that what a later step asks for is all that reaches the database.
 */
const WARM = get(`${BASE}/lookup/example.com/dep@v1.0.0`, { status: 200 });

const RELEASE = `${BASE}/lookup/example.com/hello@v1.1.0`;
const RECORD = goSum('example.com/hello', 'v1.1.0', versionOf(hello(), 'v1.1.0'));

const LOOKUPS: readonly Row[] = [
  {
    row: 117,
    title: '/supported is 200 without a request to the database, also below /cached-only',
    steps: [`${BASE}/supported`, `/cached-only${BASE}/supported`, `${BASE}/v2/supported`].map(
      (target) => get(target, { status: 200, type: TEXT, cache: MUTABLE, requests: 0 }),
    ),
  },
  {
    row: 121,
    title: '/supported is 200 while the database is down, and a lookup 502',
    steps: [
      stop('database'),
      get(`${BASE}/supported`, { status: 200, requests: 0 }),
      // The origin is asked whether it carries the database.
      get(`${BASE}/lookup/example.com/hello@v0.1.0`, { ...failure(502, 1), names: 'database' }),
      restart('database'),
    ],
  },
  {
    row: 122,
    title: 'a lookup is the record of the database, fetched once',
    steps: [
      WARM,
      get(RELEASE, { ...FILE, requests: 1, text: /^\d+\n/ }, { as: 'first' }),
      get(RELEASE, {
        ...FILE,
        requests: 0,
        text: `\n${RECORD}\ngo.sum database tree\n`,
        like: { to: 'first' },
      }),
      EXPIRE,
      get(RELEASE, { ...FILE, requests: 0, like: { to: 'first' } }),
    ],
  },
  {
    row: 123,
    title: '! and %21 are two spellings of one entry',
    steps: [
      WARM,
      get(
        `${BASE}/lookup/github.com/!azure/!thing@v1.0.0`,
        {
          ...FILE,
          requests: 1,
          sent: { target: '/lookup/github.com/!azure/!thing@v1.0.0' },
        },
        { as: 'literal' },
      ),
      get(`${BASE}/lookup/github.com/%21azure/%21thing@v1.0.0?x=1`, {
        ...FILE,
        requests: 0,
        like: { to: 'literal' },
      }),
    ],
  },
  {
    row: 124,
    title: '+incompatible is looked up as it stands',
    steps: [
      WARM,
      get(`${BASE}/lookup/example.com/legacy@v3.0.0+incompatible`, {
        ...FILE,
        requests: 1,
        text: 'example.com/legacy v3.0.0+incompatible h1:',
      }),
    ],
  },
  ...[404, 410].map((status) => ({
    row: 125,
    title: `a lookup that the database answers with ${status} is that, for a short time`,
    steps: [
      databaseFault({ status, text: 'not found: unknown revision' }),
      get(`${BASE}/lookup/example.com/unknown${status}@v1.0.0`, {
        ...failure(status, 1, NEGATIVE),
        text: 'unknown revision',
      }),
      nearEntry('missing', `sumdb/${DATABASE_NAME}/lookup/example.com/unknown${status}@v1.0.0`, {
        atMost: 30,
      }),
    ],
  })),
  ...[
    'git.corp.example/tool@v1.0.0',
    'example.com/secret@v1.0.0',
    'example.com/secret/sub@v1.0.0',
  ].map((lookup) => ({
    row: 128,
    title: `the database is not asked for ${lookup}, which is private`,
    steps: [get(`${BASE}/lookup/${lookup}`, failure(403, 0))],
  })),
  {
    row: 137,
    title: 'a name with a path has its own database beside the one without',
    steps: [
      get(`${BASE}/v2/lookup/example.com/hello@v1.2.0-rc.1`, {
        ...FILE,
        text: `\u2014 ${SECOND_DATABASE_NAME} `,
      }),
      sent('/lookup/example.com/hello@v1.2.0-rc.1', 1),
    ],
  },
  {
    row: 138,
    title: 'POST is 405; HEAD and Range are like GET',
    steps: [
      get(WARM.target, FILE, { as: 'whole' }),
      head(WARM.target, {
        ...FILE,
        requests: 0,
        bytes: 0,
        like: { to: 'whole', body: false, headers: ['content-length'] },
      }),
      get(WARM.target, { status: 200, like: { to: 'whole' } }, { headers: { Range: 'bytes=0-3' } }),
      get(WARM.target, failure(405, 0), { method: 'POST' }),
    ],
  },
];

const FRESH_HEAD = { status: 200, type: TEXT, cache: MUTABLE, requests: 1 };
const TREE_HEADS: readonly Row[] = [
  {
    row: 129,
    title: 'the tree head is fresh for a minute',
    steps: [
      WARM,
      EXPIRE,
      get(`${BASE}/latest`, { ...FRESH_HEAD, text: /^go\.sum database tree\n\d+\n/ }),
      nearEntry('file', `sumdb/${DATABASE_NAME}/latest`, 60),
    ],
  },
  {
    row: 129,
    title: 'the last good tree head is served while the database is down',
    steps: [
      get(`${BASE}/latest`, { status: 200 }, { as: 'good' }),
      EXPIRE,
      databaseFault(500),
      get(`${BASE}/latest`, {
        status: 200,
        requests: 2,
        like: { to: 'good' },
        headers: { 'cache-status': STALE_STATUS },
      }),
    ],
  },
];

const FULL_TILE = `${BASE}/tile/8/0/000`;
const TILES: readonly Row[] = [
  {
    row: [130, 131],
    title: 'tiles are immutable, and a full one answers for its parts',
    steps: [
      EMPTY,
      get(`${FULL_TILE}.p/29`, { ...TILE_FILE, bytes: 928 }, { as: '29 hashes' }),
      get(FULL_TILE, { ...TILE_FILE, bytes: 8192 }, { as: '256 hashes' }),
      get(`${FULL_TILE}.p/29`, {
        ...TILE_FILE,
        requests: 0,
        startOf: '256 hashes',
        like: { to: '29 hashes' },
      }),
      sent(/^\/tile\/8\/0\/000/, { atMost: 1 }),
      get(`${FULL_TILE}.p/30`, {
        ...TILE_FILE,
        bytes: 960,
        requests: 0,
        startOf: '256 hashes',
      }),
    ],
  },
  {
    row: 132,
    title: 'a partial tile that no tree head reaches is 404, which may not be stored',
    steps: [
      WARM,
      // The tree is smaller: the database is asked whether it has grown.
      get(`${BASE}/tile/8/0/001.p/200`, failure(404, 1)),
    ],
  },
  {
    row: 135,
    title: 'a data tile is text',
    steps: [
      WARM,
      get(`${BASE}/tile/8/data/000.p/2`, {
        ...FILE,
        requests: 1,
        text: /^([^ ]+ [^ ]+ h1:[^ ]+\n){2}\n([^ ]+ [^ ]+ h1:[^ ]+\n){2}\n$/,
      }),
    ],
  },
];

const WRONG: readonly (readonly [what: string, path: string, fault: Fault])[] = [
  ['a record that was changed', '/lookup/example.com/hello@v1.0.0', 'tampered'],
  ['a data tile that was changed', '/tile/8/data/000.p/4', 'tampered'],
  ['a tree head that was changed', '/latest', 'tampered'],
  ['an HTML page instead of a data tile', '/tile/8/data/000.p/3', 'html'],
  ['an HTML page instead of a record', '/lookup/example.com/hello@v1.0.0', 'html'],
  ['an HTML page instead of the tree head', '/latest', 'html'],
];

const FORGED: readonly Row[] = WRONG.map(([what, path, fault]) => {
  const key = `sumdb/${DATABASE_NAME}${path}`;
  return {
    row: 127,
    title: `${what} is 502, not stored, and the next request gets the right one`,
    steps: [
      WARM,
      EXPIRE,
      { do: 'remove', key },
      databaseFault(fault),
      get(BASE + path, failure(502, 2)),
      nothingStored(key),
      MEND,
      get(BASE + path, { status: 200, requests: 1 }),
    ],
  };
});

/** Of a target with the two databases. */
export const CHECKSUM_DATABASE: readonly Row[] = [
  ...LOOKUPS,
  ...TREE_HEADS,
  ...TILES,
  ...FORGED,
  ...MALFORMED_CHECKSUM_PATHS,
];

/** Of a target without any database. */
export const NO_CHECKSUM_DATABASE: readonly Row[] = [
  {
    row: 120,
    title: 'with SUMDBS=off every name is 404',
    steps: ['sum.golang.org/supported', 'sum.golang.org/latest', `${DATABASE_NAME}/supported`].map(
      (path) => get(`/sumdb/${path}`, failure(404, 0, NEGATIVE)),
    ),
  },
];
