import type { Fault } from '../../fakes/origin/faults.ts';
import { makeModule, makeVersion } from '../../fakes/origin/module.ts';
import { bigZip } from '../../fakes/zip/zip-writer.ts';
import { ownModule, ownPath } from '../own-module.ts';
import type { Quantity, Row } from '../row.ts';
import {
  failure,
  file,
  get,
  MEND,
  nothingStored,
  originFault,
  override,
  together,
} from '../steps.ts';

// Rows 48 to 58: a lone origin answers 200 with a body that cannot be the file. It counts as a
// failure, so the origin is asked a second time.

const ENDS = [
  '@v/list',
  '@latest',
  '@v/main.info',
  '@v/v1.0.0.info',
  '@v/v1.0.0.mod',
  '@v/v1.0.0.zip',
];

const DISGUISED = ownModule('disguised-page');
const DISGUISED_PAGE: Row = {
  row: [48, 49],
  title: 'an HTML page under the type of a text is 502 for every kind of file',
  isIndependent: true,
  modules: [DISGUISED],
  steps: [
    ...ENDS.map((end) =>
      override(`/${DISGUISED.path}/${end}`, {
        headers: { 'content-type': 'text/plain' },
        body: '\n<!DOCTYPE html>\n<title>Sign in</title>\n',
      }),
    ),
    together(ENDS.map((end) => get(`/${DISGUISED.path}/${end}`, failure(502, 2)))),
    nothingStored(`${DISGUISED.path}/`),
  ],
};

const INVALID: readonly (readonly [row: number, what: string, end: string, body: string])[] = [
  [49, 'a list without a version in it', '@v/list', 'please\nsign in\n'],
  [50, 'an .info without a version', '@v/v1.0.0.info', '{}'],
  [50, 'an .info of another version', '@v/v1.0.0.info', '{"Version":"v1.1.0"}'],
  [51, 'a branch without a version', '@v/main.info', '{}'],
  [51, 'a branch whose version is not semantic', '@v/main.info', '{"Version":"nightly"}'],
  [51, 'a branch whose version is short', '@v/main.info', '{"Version":"v1.1"}'],
  [51, '@latest whose version is a number', '@latest', '{"Version":1}'],
  [51, '@latest that is a list', '@latest', '["v1.0.0"]'],
  [52, 'an empty Time', '@v/v1.0.0.info', '{"Version":"v1.0.0","Time":""}'],
  [52, 'a Time that is a date alone', '@v/v1.0.0.info', '{"Version":"v1.0.0","Time":"2024-01-15"}'],
  [
    52,
    'a Time in a thirteenth month',
    '@latest',
    '{"Version":"v1.0.0","Time":"2024-13-15T10:00:00Z"}',
  ],
  [52, 'JSON with something behind it', '@v/v1.0.0.info', '{"Version":"v1.0.0"} {}'],
];

function invalidFile([row, what, end, body]: (typeof INVALID)[number]): Row {
  const module = ownModule(what);
  const target = `/${module.path}/${end}`;
  return {
    row,
    title: `${what} is 502, and nothing of it is stored`,
    isIndependent: true,
    modules: [module],
    steps: [
      override(target, { body }),
      get(target, failure(502, 2)),
      nothingStored(`${module.path}/`),
    ],
  };
}

const UNUSUAL_INFO = [
  '{"Version":"v1.0.0"}',
  '{"Version":"v1.0.0","Time":null}',
  '{"version":"v1.0.0","x":1}',
];
const UNUSUAL_MODULES = UNUSUAL_INFO.map((_, at) => ownModule(`unusual-info-${at}`));
const UNUSUAL: Row = {
  row: [50, 51, 52],
  title: 'an .info without Time, with a null Time, or with names in lower case is passed on',
  modules: UNUSUAL_MODULES,
  steps: UNUSUAL_MODULES.flatMap(({ path }, at) => {
    const target = `/${path}/@v/v1.0.0.info`;
    const body = UNUSUAL_INFO[at] ?? '';
    return [override(target, { body }), get(target, { status: 200, body })];
  }),
};

interface BadZip {
  readonly row: number;
  readonly what: string;
  readonly fault: Fault;
  readonly requests: Quantity;
}

// What breaks off is continued three times without success, and then fetched once more from the
// start.
const BAD_ZIPS: readonly BadZip[] = [
  { row: 53, what: 'a zip that breaks off', fault: 'truncate', requests: 8 },
  { row: 54, what: 'a body that is not a zip', fault: 'not-a-zip', requests: 2 },
  {
    row: 55,
    what: 'a zip with an entry outside of its version',
    fault: 'outside-prefix',
    requests: 2,
  },
];

function badZip({ fault, requests, row, what }: BadZip): Row {
  const module = ownModule(what);
  const target = `/${module.path}/@v/v1.0.0.zip`;
  return {
    row,
    title: `${what} is 502, nothing is stored, and the next request fetches it`,
    modules: [module],
    steps: [
      originFault(fault),
      get(target, failure(502, requests)),
      nothingStored(`${module.path}/`),
      MEND,
      get(target, file('zip', { requests: 1 })),
    ],
  };
}

const BAD_LARGE_ZIPS: readonly BadZip[] = [
  // It is continued as long as each attempt brings more of it.
  { row: 53, what: 'a large zip that breaks off', fault: 'truncate', requests: { atMost: 9 } },
  {
    row: 55,
    what: 'a large zip with an entry outside of its version',
    fault: 'outside-prefix',
    requests: { atMost: 1 },
  },
];

function badLargeZip({ fault, requests, row, what }: BadZip): Row {
  const path = ownPath(what);
  const zip = bigZip(`${path}@v1.0.0/`, 9 * 1024 * 1024);
  const target = `/${path}/@v/v1.0.0.zip`;
  return {
    row,
    title: `${what} ends in a broken stream, and nothing is stored`,
    modules: [makeModule(path, { 'v1.0.0': { ...makeVersion(path, 'v1.0.0', {}), zip } })],
    steps: [
      originFault(fault),
      get(target, { status: 200, broken: true, requests }),
      nothingStored(`${path}/`),
      MEND,
      get(target, { status: 200, requests: 1, bytes: zip.size }),
    ],
  };
}

const HUGE = ownModule('huge');
const TOO_LARGE: Row = {
  row: 58,
  title: 'a zip over 500 MiB is refused by its declared length',
  modules: [HUGE],
  steps: [
    override(`/${HUGE.path}/@v/v1.0.0.zip`, {
      body: bigZip(`${HUGE.path}@v1.0.0/`, 500 * 1024 * 1024 + 1),
    }),
    get(`/${HUGE.path}/@v/v1.0.0.zip`, failure(502, 2)),
  ],
};

export const INVALID_FILES: readonly Row[] = [
  DISGUISED_PAGE,
  ...INVALID.map(invalidFile),
  UNUSUAL,
  ...BAD_ZIPS.map(badZip),
  ...BAD_LARGE_ZIPS.map(badLargeZip),
  TOO_LARGE,
];
