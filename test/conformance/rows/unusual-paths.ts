import { hello } from '../../fakes/origin/modules.ts';
import { NEGATIVE } from '../headers.ts';
import type { Row } from '../row.ts';
import { awaitStored, failure, get, override } from '../steps.ts';

// Rows 79 to 108: paths that look malformed and are not. They reach the origin under the path that
// a go command would send, and what it answers counts.

const HELLO = '/example.com/hello';
const METADATA = '/169.254.169.254/latest/meta-data/@v/list';
const BODY = '{"Version":"v1.1.0"}';

interface Passed {
  readonly row: number;
  readonly what: string;
  readonly target: string;
  /** How the origin is asked, where it is not the target. */
  readonly spelling?: string;
}

const PASSED: readonly Passed[] = [
  { row: 94, what: 'the .info of another major version', target: `${HELLO}/@v/v2.0.0.info` },
  { row: 100, what: 'an element with two dots in it', target: '/example.com/a..b/@v/list' },
  { row: 101, what: 'a module path that is a loopback address', target: '/127.0.0.1/x/@v/list' },
  {
    row: 101,
    what: 'a module path that begins with a metadata address',
    target: '/169.254.169.254/latest/@v/list',
  },
  {
    row: 101,
    what: 'a module path that begins with a local name',
    target: '/localhost.localdomain/x/@v/list',
  },
  {
    row: 101,
    what: 'a module path that begins with a metadata name',
    target: '/metadata.google.internal/x/@v/list',
  },
  { row: 106, what: 'a query with a space', target: `${HELLO}/@v/a%20b.info` },
  { row: 106, what: 'a query with a number sign', target: `${HELLO}/@v/a%23b.info` },
  { row: 106, what: 'a query with an encoded comma', target: `${HELLO}/@v/a%2Cb.info` },
  {
    row: 106,
    what: 'a query with a comma encoded in lower case',
    target: `${HELLO}/@v/a%2cc.info`,
    spelling: `${HELLO}/@v/a%2Cc.info`,
  },
  {
    row: 106,
    what: 'a query with a comma',
    target: `${HELLO}/@v/a,d.info`,
    spelling: `${HELLO}/@v/a%2Cd.info`,
  },
  { row: 106, what: 'a query with an at sign', target: `${HELLO}/@v/a@b.info` },
  { row: 106, what: 'a query with an equals sign', target: `${HELLO}/@v/a=b.info` },
  {
    row: 106,
    what: 'a query with parentheses',
    target: `${HELLO}/@v/a(b).info`,
    spelling: `${HELLO}/@v/a%28b%29.info`,
  },
  {
    row: 106,
    what: 'a query with an encoded letter',
    target: `${HELLO}/@v/%68idden.info`,
    spelling: `${HELLO}/@v/hidden.info`,
  },
  { row: 107, what: 'a version with a leading zero', target: `${HELLO}/@v/v01.0.0.info` },
  { row: 107, what: 'a version without "v"', target: `${HELLO}/@v/1.0.0.info` },
  { row: 107, what: 'a version with an empty pre-release', target: `${HELLO}/@v/v1.0.0-.info` },
  {
    row: 108,
    what: 'a version beyond 64 bits',
    target: `${HELLO}/@v/v99999999999999999999.0.0-x.info`,
  },
];

const LONG = [
  `${HELLO}/@v/v1.0.0-${'a'.repeat(293)}.info`,
  `/example.com${'/x'.repeat(100)}/@v/list`,
  `/example.com/${'a'.repeat(2020)}/@v/list`,
];

export const UNUSUAL_PATHS: readonly Row[] = [
  ...PASSED.map(({ row, spelling, target, what }) => ({
    row,
    title: `${what} is what the origin answers: ${target}`,
    steps: [
      get(target, {
        ...failure(404, 1, NEGATIVE),
        sent: { target: spelling ?? target },
        headers: { 'cache-status': /fwd-status=404/ },
      }),
    ],
  })),
  {
    row: 79,
    title: 'a raw backslash is a slash, as in any URL',
    steps: [
      get('/example.com\\hello/@v/list', {
        status: 200,
        body: hello().list,
        sent: { target: `${HELLO}/@v/list` },
      }),
    ],
  },
  {
    row: 101,
    title: 'a module on a metadata address is served as the origin has it',
    steps: [
      override(METADATA, { body: 'v0.0.1\n' }),
      get(METADATA, { status: 200, body: 'v0.0.1\n', requests: 1 }),
    ],
  },
  {
    row: 105,
    title: 'long versions, deep paths and names too long for a bucket reach the origin',
    steps: LONG.map((target) => get(target, { ...failure(404, 1, NEGATIVE), sent: { target } })),
  },
  {
    row: 106,
    title: 'the answer to an unusual query is stored under its own name',
    steps: [
      override(`${HELLO}/@v/a c@d.info`, { body: BODY }),
      get(`${HELLO}/@v/a%20c@d.info`, { status: 200, body: BODY, requests: 1 }),
      awaitStored('example.com/hello/@v/a c@d.info'),
    ],
  },
];
