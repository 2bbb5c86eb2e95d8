import { expect, it } from 'vitest';
import { modulePath, version } from '../../test/fakes/effects/values.ts';
import { CACHE_CONTROL, cacheClassOf, EDGE_SECONDS } from './cache-policy.ts';

// The whole table: whoever changes how long something is kept changes it here as well.
it.each([
  ['immutable', 'public, max-age=31536000, immutable', undefined],
  ['uncovered', 'public, max-age=86400', 86_400],
  ['canonicalInfo', 'public, max-age=86400', 86_400],
  ['mutable', 'public, max-age=60, stale-while-revalidate=600, stale-if-error=86400', 60],
  ['stale', 'public, max-age=30, stale-if-error=0', undefined],
  ['negative', 'public, max-age=30, stale-if-error=0', 30],
  ['failure', 'no-store', undefined],
] as const)('%s is kept by clients as %j, and at the edge for %s s', (name, header, seconds) => {
  expect([CACHE_CONTROL[name], EDGE_SECONDS[name]]).toEqual([header, seconds]);
});

it('there is no other class', () => {
  expect(Object.keys(CACHE_CONTROL)).toEqual([
    'immutable',
    'uncovered',
    'canonicalInfo',
    'mutable',
    'stale',
    'negative',
    'failure',
  ]);
});

const module = modulePath('example.com/hello');
const v1 = version('v1.0.0');
it.each([
  [{ kind: 'list', module }, 'mutable'],
  [{ kind: 'latest', module }, 'mutable'],
  [{ kind: 'query', module, query: v1 }, 'mutable'],
  [{ kind: 'info', module, version: v1 }, 'canonicalInfo'],
  [{ kind: 'mod', module, version: v1 }, 'immutable'],
  [{ kind: 'zip', module, version: v1 }, 'immutable'],
] as const)('%j is %s', (request, expected) => {
  expect(cacheClassOf(request)).toBe(expected);
});
