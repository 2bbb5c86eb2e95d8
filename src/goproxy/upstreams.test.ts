import { expect, it } from 'vitest';
import { originOf } from '../../test/fakes/effects/fetch.ts';
import { bytes, modulePath, version } from '../../test/fakes/effects/values.ts';
import type { Patterns } from '../module/patterns.ts';
import { knownFiles } from '../origins/upstream.ts';
import { moduleUpstreams } from './upstreams.ts';

const modules: Patterns = [];
const probe = { module: modulePath('git.corp.example/Tool'), version: version('v1.2.0') };

const WELL_KNOWN = '/golang.org/x/text/@v/v0.3.0.mod';
const OWN = '/git.corp.example/%21tool/@v/v1.2.0.mod';

it.each([
  ['every module', WELL_KNOWN, {}],
  ['certain modules, with a probe,', OWN, { modules, probe }],
  ['every module, with a probe,', OWN, { probe }],
  ['certain modules, without a probe,', undefined, { modules }],
])('an origin for %s is probed with %s', (_, path, rest) => {
  const [upstream] = moduleUpstreams([originOf('a', rest)]);
  expect(upstream?.id).toBe('a');
  expect(upstream?.probe?.small.path).toBe(path);
  expect(upstream?.probe?.large?.path).toBe(path?.replace('.mod', '.zip'));
});

it.each([
  ['small', 'module golang.org/x/text\n', true],
  ['small', '// A tool.\n\nmodule x\n', true],
  ['small', '<html>', false],
  ['large', 'PK\u0003\u0004', true],
  ['large', '<html>', false],
  ['large', 'PK', false],
] as const)(
  'the %s file that starts with %j is the expected one: %s',
  (size, start, isExpected) => {
    const [upstream] = moduleUpstreams([originOf('a')]);
    expect(upstream?.probe?.[size]?.isExpected(bytes(start))).toBe(isExpected);
  },
);

it('two origins at one address have a known file each', () => {
  const rows = [
    originOf('corp', { url: 'https://a', modules, probe }),
    originOf('all', { url: 'https://a' }),
  ];
  const knownFileOf = knownFiles(moduleUpstreams(rows));
  expect(rows.map((origin) => knownFileOf(origin)?.path)).toEqual([OWN, WELL_KNOWN]);
});
