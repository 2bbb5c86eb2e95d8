import { bodySize } from '../../fakes/origin/answer.ts';
import { versionOf } from '../../fakes/origin/module.ts';
import {
  type FileKind,
  IMMUTABLE,
  LOCAL_STATUS,
  NEGATIVE,
  NO_STORE,
  TEXT,
  ZIP,
} from '../headers.ts';
import { ownModule } from '../own-module.ts';
import type { RequestStep, Row, Step } from '../row.ts';
import { EXPIRE, failure, file, get, head, MEND, originFault } from '../steps.ts';

// Rows 24 to 35 without 33: the same files by the other means of HTTP.

const PREFIXED: Row = {
  row: 24,
  title: 'there is no path prefix, so anything below one is 404',
  steps: ['list', 'v1.1.0.zip'].map((end) =>
    get(`/p/example.com/hello/@v/${end}`, failure(404, 0, NEGATIVE)),
  ),
};

interface CachedOnly {
  readonly row: number;
  readonly how: string;
  readonly name: string;
  readonly prefix: string;
  readonly headers: Readonly<Record<string, string>>;
}
const WAYS_CACHED_ONLY: readonly CachedOnly[] = [
  { row: 25, how: 'below /cached-only', name: 'below', prefix: '/cached-only', headers: {} },
  {
    row: 26,
    how: 'with Disable-Module-Fetch',
    name: 'disabled',
    prefix: '',
    headers: { 'Disable-Module-Fetch': 'true' },
  },
];

function cachedOnly({ headers, how, name, prefix, row }: CachedOnly): Row {
  const module = ownModule(`cached-only-${name}`);
  const { list, path } = module;
  const absent = (end: string) =>
    get(
      `${prefix}/${path}/${end}`,
      {
        ...failure(404, 0),
        text: 'temporarily unavailable',
        headers: { 'cache-status': LOCAL_STATUS },
      },
      { headers },
    );
  return {
    row,
    title: `${how} no origin is asked, and what is stored is served`,
    modules: [module],
    steps: [
      ...['@v/v1.1.0.zip', '@v/v1.1.0.info', '@v/list', '@latest', '@v/main.info'].map(absent),
      get(`/${path}/@v/v1.1.0.zip`, { status: 200 }),
      get(`/${path}/@v/list`, { status: 200 }),
      get(`${prefix}/${path}/@v/v1.1.0.zip`, file('zip', { requests: 0 }), { headers }),
      EXPIRE,
      get(`${prefix}/${path}/@v/list`, file('list', { cache: NO_STORE, requests: 0, body: list }), {
        headers,
      }),
    ],
  };
}

const FILES: readonly (readonly [kind: FileKind, end: string])[] = [
  ['list', '@v/list'],
  ['info', '@v/v1.1.0.info'],
  ['mod', '@v/v1.1.0.mod'],
  ['zip', '@v/v1.1.0.zip'],
  ['latest', '@latest'],
];

/** GET and both HEADs differ in the body alone. */
function headOf([kind, end]: readonly [kind: FileKind, end: string]): Row {
  const module = ownModule(`head-${kind}`);
  const { latest = '', list } = module;
  const whole = { ...versionOf(module, 'v1.1.0'), latest, list, query: '' }[kind];
  const length = { 'content-length': String(bodySize(whole)) };
  const target = `/${module.path}/${end}`;
  return {
    row: 27,
    title: `HEAD of ${end} has the headers of GET and no body, cold and warm`,
    modules: [module],
    steps: [
      head(target, file(kind, { bytes: 0, headers: length }), { as: 'cold' }),
      get(target, {
        status: 200,
        headers: length,
        like: { to: 'cold', body: false, headers: 'lasting' },
      }),
      head(
        target,
        file(kind, { bytes: 0, headers: length, like: { to: 'cold', headers: 'lasting' } }),
      ),
    ],
  };
}

const HOME = { status: 200, type: TEXT, cache: NO_STORE, requests: 0 };
const METHODS: readonly Row[] = [
  {
    row: 27,
    title: 'HEAD of what does not exist is 404 without a body',
    steps: [
      head('/example.com/nothing-for-head/@v/list', { ...failure(404, 1, NEGATIVE), bytes: 0 }),
    ],
  },
  {
    row: 28,
    title: 'GET and HEAD of / are 200, and no origin is asked',
    steps: [get('/', { ...HOME, text: 'GOPROXY=' }), head('/', { ...HOME, bytes: 0 })],
  },
];

/** A row about a zip that is stored; its ETag is `$etag` in later steps. */
function ofStoredZip(
  name: string,
  { row, title }: Pick<Row, 'row' | 'title'>,
  steps: (target: string, body: Uint8Array) => readonly Step[],
): Row {
  const module = ownModule(name);
  const { zip } = versionOf(module, 'v1.1.0');
  if (!(zip instanceof Uint8Array)) throw new Error('A zip that is made while it is read');
  const target = `/${module.path}/@v/v1.1.0.zip`;
  return {
    row,
    title,
    modules: [module],
    steps: [get(target, { status: 200 }, { as: 'whole' }), ...steps(target, zip)],
  };
}

type PartOfZip = readonly [range: string, start: number, end: number | undefined];
const PARTS: readonly PartOfZip[] = [
  ['bytes=0-99', 0, 100],
  ['bytes=100-', 100, undefined],
  ['bytes=-22', -22, undefined],
  ['bytes=10-99999999', 10, undefined],
];

function partOfZip([range, start, end]: PartOfZip, at: number): Row {
  const title = `${range} of a stored zip is 206 with just these bytes`;
  return ofStoredZip(`part${at}`, { row: 29, title }, (target, zip) => {
    const part = zip.subarray(start, end);
    const from = start < 0 ? zip.length + start : start;
    const expected = {
      status: 206,
      type: ZIP,
      cache: IMMUTABLE,
      requests: 0,
      body: part,
      headers: {
        'content-length': String(part.length),
        'content-range': `bytes ${from}-${from + part.length - 1}/${zip.length}`,
      },
    };
    return [get(target, expected, { headers: { Range: range } })];
  });
}

const COLD_RANGE = ownModule('cold-range');
const RANGES: readonly Row[] = [
  ...PARTS.map(partOfZip),
  {
    row: 29,
    title: 'a range of a zip that is not stored is the whole zip',
    modules: [COLD_RANGE],
    steps: [
      get(
        `/${COLD_RANGE.path}/@v/v1.0.0.zip`,
        file('zip', { requests: 1, headers: { 'content-range': undefined } }),
        { headers: { Range: 'bytes=0-99' } },
      ),
    ],
  },
  ofStoredZip(
    'whole',
    {
      row: 29,
      title:
        'several ranges, a malformed one, and one for another copy (If-Range) are the whole zip',
    },
    (target) => [
      ...[
        { Range: 'bytes=0-1,5-6' },
        { Range: 'bytes=9-2' },
        { Range: 'lines=0-1' },
        { Range: 'bytes=0-1', 'If-Range': '"another"' },
      ].map((headers: Readonly<Record<string, string>>) =>
        get(target, file('zip', { requests: 0, like: { to: 'whole' } }), { headers }),
      ),
      get(target, { status: 206 }, { headers: { Range: 'bytes=0-1', 'If-Range': '$etag' } }),
    ],
  ),
  ofStoredZip(
    'beyond',
    { row: 30, title: 'a range beyond the end is 416, which may not be stored' },
    (target, zip) => [
      get(
        target,
        {
          status: 416,
          cache: NO_STORE,
          requests: 0,
          body: '',
          headers: { 'content-range': `bytes */${zip.length}` },
        },
        { headers: { Range: 'bytes=999999999-' } },
      ),
    ],
  ),
];

const ifNoneMatch = (candidate: string) => ({ headers: { 'If-None-Match': candidate } });

function etagOf([kind, end]: readonly [kind: FileKind, end: string]): Row {
  const module = ownModule(`etag-${kind}`);
  const target = `/${module.path}/${end}`;
  const unchanged: RequestStep[] = ['$etag', 'W/$etag', '"other", $etag', '*'].map((candidate) =>
    get(
      target,
      {
        status: 304,
        body: '',
        like: { to: 'first', body: false, headers: ['etag', 'cache-control'] },
      },
      ifNoneMatch(candidate),
    ),
  );
  return {
    row: 31,
    title: `${end} is 304 without a body for the ETag that it has, and 200 for another one`,
    modules: [module],
    steps: [
      get(target, { status: 200, headers: { etag: /^"[^"]+"$/ } }, { as: 'first' }),
      ...unchanged,
      get(target, { status: 200, like: { to: 'first' } }, ifNoneMatch('"other"')),
    ],
  };
}

const COMPRESSED = ownModule('compressed');

/** The origin compresses although it was not asked to, and the client accepts it. */
function compressed(end: string, body: string | Uint8Array): readonly Step[] {
  const target = `/${COMPRESSED.path}/${end}`;
  const plainZip = end.endsWith('.zip') ? { headers: { 'content-encoding': undefined } } : {};
  return [
    originFault('gzip'),
    get(
      target,
      { status: 200, requests: 1, body, ...plainZip },
      { headers: { 'Accept-Encoding': 'gzip' } },
    ),
    MEND,
    get(target, { status: 200, body, headers: { 'content-encoding': undefined } }),
  ];
}

const { info, mod, zip } = versionOf(COMPRESSED, 'v1.1.0');
const COMPRESSION: Row = {
  row: 32,
  title:
    'a list, an .info and a .mod may come compressed, a zip never, and all have the same bytes',
  modules: [COMPRESSED],
  steps: [
    ...compressed('@v/list', COMPRESSED.list),
    ...compressed('@v/v1.1.0.info', info),
    ...compressed('@v/v1.1.0.mod', mod),
    ...compressed('@v/v1.1.0.zip', zip as Uint8Array),
  ],
};

function atOnce([kind, end]: readonly [kind: FileKind, end: string]): Row {
  const module = ownModule(`at-once-${kind}`);
  const target = `/${module.path}/${end}`;
  const expected = { status: 200, requests: 1, like: { to: 'first' } };
  return {
    row: 35,
    title: `twenty requests for a cold ${end} are one request to the origin`,
    modules: [module],
    steps: [get(target, expected, { times: 20, as: 'first' })],
  };
}

export const HTTP_FEATURES: readonly Row[] = [
  PREFIXED,
  ...WAYS_CACHED_ONLY.map(cachedOnly),
  ...FILES.map(headOf),
  ...METHODS,
  ...RANGES,
  ...FILES.filter(([kind]) => kind !== 'latest').map(etagOf),
  COMPRESSION,
  ...FILES.map(atOnce),
];
