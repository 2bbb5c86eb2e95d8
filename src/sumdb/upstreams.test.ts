import { expect, it } from 'vitest';
import { originOf } from '../../test/fakes/effects/fetch.ts';
import { bytes } from '../../test/fakes/effects/values.ts';
import { databaseUpstreams } from './upstreams.ts';

const upstreams = databaseUpstreams([
  { name: 'sum.golang.org', origins: [originOf('sum.golang.org'), originOf('mirror.example')] },
  { name: 'sum.corp.example', origins: [originOf('mirror.example')] },
]);

it('every address of every database is an upstream with an id of its own', () => {
  expect(upstreams.map(({ database, id, origin }) => [id, database, origin.name])).toEqual([
    ['sum.golang.org 1 sum.golang.org', 'sum.golang.org', 'sum.golang.org'],
    ['sum.golang.org 2 mirror.example', 'sum.golang.org', 'mirror.example'],
    ['sum.corp.example 1 mirror.example', 'sum.corp.example', 'mirror.example'],
  ]);
});

it('a carrier is probed with a small file alone', () => {
  const carrier = originOf('a/sumdb/s', { carries: 's' });
  const [upstream] = databaseUpstreams([{ name: 's', origins: [carrier] }]);
  expect(upstream?.probe?.small.path).toBe('/latest');
  expect(upstream?.probe?.large).toBeUndefined();
});

it.each([
  ['small', '/latest', 'go.sum database tree\n1\n', true],
  ['small', '/latest', '<html>', false],
  ['large', '/tile/8/data/000', 'github.com/a/b v1.0.0 h1:abc=\n', true],
  ['large', '/tile/8/data/000', '<html>', false],
] as const)(
  'the %s file %s that starts with %j is the expected one: %s',
  (size, path, start, is) => {
    for (const { probe } of upstreams) {
      expect(probe?.[size]?.path).toBe(path);
      expect(probe?.[size]?.isExpected(bytes(start))).toBe(is);
    }
  },
);
