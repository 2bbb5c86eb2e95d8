import { DATABASE_NAME } from './database-name.ts';
import { NEGATIVE } from '../headers.ts';
import type { Row } from '../row.ts';
import { failure, get } from '../steps.ts';

// Rows 118 to 136: paths that no checksum database has, or that belong to one that is not
// configured. Each is 404 without a request to a database.

const BASE = `/sumdb/${DATABASE_NAME}`;
const FULL_TILE = `${BASE}/tile/8/0/000`;

const REFUSED: readonly (readonly [row: number, what: string, target: string])[] = [
  [118, 'a database that is not configured', '/sumdb/unknown.example/supported'],
  [119, 'a metadata address', '/sumdb/169.254.169.254/supported'],
  [119, 'a name with a port', '/sumdb/localhost:8080/x'],
  [119, 'a name with a user', `/sumdb/${DATABASE_NAME}@evil.example/supported`],
  [119, 'a longer name', `/sumdb/${DATABASE_NAME}.evil.example/supported`],
  [119, 'a name with encoded slashes', `/sumdb/${DATABASE_NAME}%2f..%2fevil/supported`],
  [119, 'a name in upper case', '/sumdb/SUM.EXAMPLE.TEST/supported'],
  [120, '/supported of a database that is off', '/sumdb/sum.golang.org/supported'],
  [
    120,
    'a lookup in a database that is off',
    '/sumdb/sum.golang.org/lookup/example.com/hello@v1.1.0',
  ],
  [126, 'a lookup of a branch', `${BASE}/lookup/example.com/hello@master`],
  [126, 'a lookup without a version', `${BASE}/lookup/example.com/hello`],
  [126, 'a lookup with two versions', `${BASE}/lookup/example.com/hello@v1.1.0@v1.1.0`],
  [
    126,
    'a lookup with an upper-case letter without an escape',
    `${BASE}/lookup/github.com/Azure/Thing@v1.0.0`,
  ],
  [126, 'a lookup of an upper-case version', `${BASE}/lookup/example.com/hello@v1.1.0-RC1`],
  [126, 'a lookup of a go.mod alone', `${BASE}/lookup/example.com/hello@v1.1.0/go.mod`],
  [126, 'a lookup with build metadata', `${BASE}/lookup/example.com/hello@v1.1.0+meta`],
  [126, 'a lookup out of a module', `${BASE}/lookup/example.com/../hello@v1.1.0`],
  [126, 'a lookup of no module', `${BASE}/lookup/@v1.1.0`],
  [134, 'a partial tile of no hashes', `${FULL_TILE}.p/0`],
  [134, 'a partial tile of 256 hashes', `${FULL_TILE}.p/256`],
  [134, 'a width with a leading zero', `${FULL_TILE}.p/01`],
  [134, 'an index of one digit', `${BASE}/tile/8/0/1`],
  [134, 'an index without the sign for more digits', `${BASE}/tile/8/0/001/234`],
  [134, 'an index with needless digits', `${BASE}/tile/8/0/x000/001`],
  [134, 'a height of 31', `${BASE}/tile/31/0/000`],
  [134, 'a height of 7', `${BASE}/tile/7/0/000`],
  [134, 'a negative level', `${BASE}/tile/8/-1/000`],
  [134, 'a level of 8', `${BASE}/tile/8/8/000`],
  [134, 'a slash behind a tile', `${FULL_TILE}/`],
  [134, 'a tile with encoded slashes', `${BASE}/tile/8/0/..%2f000`],
  [136, 'an unknown path', `${BASE}/bogus`],
  [136, 'a slash behind /supported', `${BASE}/supported/`],
  [136, 'a slash behind the name', `${BASE}/`],
  [136, 'a name alone', BASE],
  [136, 'a slash behind /sumdb', '/sumdb/'],
  [136, '/sumdb alone', '/sumdb'],
  [136, 'an empty name', '/sumdb//supported'],
];

export const MALFORMED_CHECKSUM_PATHS: readonly Row[] = REFUSED.map(([row, what, target]) => ({
  row,
  title: `${what} is 404, and no database is asked: ${target}`,
  steps: [get(target, failure(404, 0, NEGATIVE))],
}));
