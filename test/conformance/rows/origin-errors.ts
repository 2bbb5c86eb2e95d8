import type { Fault } from '../../fakes/origin/faults.ts';
import { makeModule, makeVersion } from '../../fakes/origin/module.ts';
import { type FileKind, NEGATIVE, NO_STORE, STALE, STALE_STATUS } from '../headers.ts';
import { ownModule } from '../own-module.ts';
import type { Expected, Row } from '../row.ts';
import {
  awaitStored,
  EXPIRE,
  failure,
  file,
  get,
  MEND,
  nearEntry,
  nothingStored,
  originFault,
  publish,
  together,
} from '../steps.ts';

// Rows 37 to 49 and 68: what is answered when a lone origin has nothing, or fails. An origin that
// failed is asked a second time (row 44).

const ENDS = [
  '@v/list',
  '@latest',
  '@v/main.info',
  '@v/v1.0.0.info',
  '@v/v1.0.0.mod',
  '@v/v1.0.0.zip',
];

const MUTABLE_FILES: readonly (readonly [end: string, kind: FileKind])[] = [
  ['@v/list', 'list'],
  ['@latest', 'latest'],
  ['@v/main.info', 'query'],
];

/** How a fault is called in a title. */
const called = (fault: Fault) => (typeof fault === 'object' ? JSON.stringify(fault) : `${fault}`);

const UNKNOWN: readonly Row[] = ENDS.map((end) => ({
  row: [37, 39],
  title: `${end} that the origin does not have is 404 with the text of the origin`,
  steps: [
    get(`/example.com/unknown/${end}`, {
      ...failure(404, 1, NEGATIVE),
      text: 'module example.com/unknown: no matching versions',
      headers: { 'cache-status': /fwd=uri-miss; fwd-status=404/ },
    }),
  ],
}));

const GONE: readonly Row[] = ENDS.map((end) => {
  const module = ownModule(`gone ${end}`);
  return {
    row: 38,
    title: `a 410 for ${end} stays a 410`,
    modules: [module],
    steps: [
      originFault({ status: 410, text: 'not found: gone for good' }),
      get(`/${module.path}/${end}`, { ...failure(410, 1, NEGATIVE), text: 'gone for good' }),
    ],
  };
});

const PUBLISHED = ownModule('published');
const NEWLY = `${PUBLISHED.path}/@v/v1.2.0.info`;
/** With the 30 s for which clients keep a 404, this makes the minute of row 40. */
const LONGEST_404_SECONDS = 60 - 30;

const PUBLISHED_LATER: Row = {
  row: 40,
  title: 'a version that is published after a 404 is visible within a minute',
  modules: [PUBLISHED],
  steps: [
    get(`/${NEWLY}`, failure(404, 1, NEGATIVE)),
    nearEntry('missing', NEWLY, { atMost: LONGEST_404_SECONDS }),
    publish(makeModule(PUBLISHED.path, { 'v1.2.0': makeVersion(PUBLISHED.path, 'v1.2.0', {}) })),
    get(`/${NEWLY}`, {
      ...failure(404, 0, NEGATIVE),
      headers: { 'cache-status': 'modferry; hit; detail=edge' },
    }),
    EXPIRE,
    get(`/${NEWLY}`, file('info', { requests: 1 })),
  ],
};

const TRANSIENT: readonly Row[] = [
  'not found: fetch timed out',
  'not found: temporarily unavailable',
].map((text) => {
  const module = ownModule(text);
  const target = `/${module.path}/@v/v1.1.0.info`;
  return {
    row: 41,
    title: `a 404 with the text "${text}" is 504, which may not be stored`,
    modules: [module],
    steps: [
      originFault({ status: 404, text }),
      get(target, failure(504, 1)),
      MEND,
      get(target, { status: 200 }),
    ],
  };
});

interface LastingFault {
  readonly row: number | readonly number[];
  readonly what: string;
  readonly fault: Fault;
  readonly status: number;
  /** Default 2. */
  readonly requests?: number;
  /** Default NO_STORE. */
  readonly cache?: string;
}
/** As a filter gives it. */
const PAGE_403: Fault = { status: 403, text: '<html>Forbidden' };

const LASTING: readonly LastingFault[] = [
  {
    row: 42,
    what: 'a 400',
    fault: { status: 400, text: 'bad request: invalid version' },
    status: 404,
    requests: 1,
    cache: NEGATIVE,
  },
  { row: 43, what: 'a 401', fault: 401, status: 502 },
  { row: 43, what: 'a 403', fault: 403, status: 403, requests: 1 },
  { row: 43, what: 'a 403 with a page', fault: PAGE_403, status: 502 },
  { row: 46, what: 'a repeated 429', fault: 429, status: 503 },
  { row: 46, what: 'a repeated 503', fault: 503, status: 503 },
  { row: 46, what: 'a repeated 500', fault: 500, status: 502 },
  { row: 46, what: 'a repeated 502', fault: 502, status: 502 },
  { row: 46, what: 'a repeated 504', fault: 504, status: 502 },
  { row: 46, what: 'a repeated reset of the connection', fault: 'reset', status: 502 },
  { row: [48, 49], what: 'an HTML page instead of the file', fault: 'html', status: 502 },
];

function lastingFault(lasting: LastingFault): Row {
  const { cache = NO_STORE, fault, requests = 2, row, status, what } = lasting;
  const module = ownModule(what);
  const expected: Expected = { ...failure(status, requests, cache), names: 'origin' };
  return {
    row,
    title: `${what} is ${status} for every kind of file, and nothing is stored`,
    isIndependent: true,
    modules: [module],
    steps: [
      originFault(fault, { match: `/${module.path}/` }),
      together(ENDS.map((end) => get(`/${module.path}/${end}`, expected))),
      nothingStored(`${module.path}/`),
    ],
  };
}

const ONCE: readonly Fault[] = [
  429,
  { status: 429, headers: { 'retry-after': '0' } },
  500,
  502,
  503,
  504,
  'reset',
  'truncate',
];

function failedOnce(fault: Fault): Row {
  const module = ownModule(`once ${called(fault)}`);
  return {
    row: 44,
    title: `after one ${called(fault)} a lone origin is asked again, and the answer is 200`,
    isIndependent: true,
    modules: [module],
    steps: [
      originFault(fault, { match: `/${module.path}/`, times: 1 }),
      get(`/${module.path}/@v/v1.1.0.zip`, file('zip', { requests: 2 })),
    ],
  };
}

const OUTAGES: readonly Fault[] = [401, 429, 500, 502, 503, 504, 'reset', 'html', 'truncate'];

function lastGoodCopy(fault: Fault): Row {
  const module = ownModule(`stale ${called(fault)}`);
  const target = (end: string) => `/${module.path}/${end}`;
  const good = MUTABLE_FILES.map(([end]) => get(target(end), { status: 200 }, { as: end }));
  const stale = MUTABLE_FILES.map(([end, kind]) =>
    get(
      target(end),
      file(kind, {
        cache: STALE,
        requests: 2,
        like: { to: end },
        headers: { 'cache-status': STALE_STATUS },
      }),
    ),
  );
  return {
    row: 45,
    title: `while the origin fails with ${called(fault)}, the last good copy of a mutable file is served`,
    isIndependent: true,
    modules: [module],
    steps: [
      together(good),
      EXPIRE,
      originFault(fault, { match: `/${module.path}/` }),
      together(stale),
    ],
  };
}

const BUSY = ownModule('busy');
const RETRY_LATER: Row = {
  row: 46,
  title:
    'an origin that asks for a long pause is not asked again, and its Retry-After is passed on',
  modules: [BUSY],
  steps: [
    originFault({ status: 429, headers: { 'retry-after': '7' } }),
    get(`/${BUSY.path}/@v/list`, { ...failure(503, 1), headers: { 'retry-after': '7' } }),
  ],
};

const COMPOSED = ownModule('composed');
const COMPOSED_LIST: Row = {
  row: 68,
  title: 'a list that was never fetched is composed of the stored versions while the origin fails',
  modules: [COMPOSED],
  steps: [
    get(`/${COMPOSED.path}/@v/v1.1.0.info`, { status: 200 }),
    get(`/${COMPOSED.path}/@v/v1.0.0.info`, { status: 200 }),
    awaitStored(`${COMPOSED.path}/@v/v1.0.0.info`),
    originFault(500),
    get(
      `/${COMPOSED.path}/@v/list`,
      file('list', {
        cache: STALE,
        requests: 2,
        body: 'v1.0.0\nv1.1.0\n',
        headers: { 'cache-status': STALE_STATUS },
      }),
    ),
  ],
};

export const ORIGIN_ERRORS: readonly Row[] = [
  ...UNKNOWN,
  ...GONE,
  PUBLISHED_LATER,
  ...TRANSIENT,
  ...LASTING.map(lastingFault),
  ...ONCE.map(failedOnce),
  ...OUTAGES.map(lastGoodCopy),
  RETRY_LATER,
  COMPOSED_LIST,
];
