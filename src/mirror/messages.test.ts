import { expect, it } from 'vitest';
import type { Failure } from '../origins/origin.ts';
import { malformed, missing, notCached, unavailable } from './messages.ts';
import { LOCAL } from './outcome.ts';

it.each([
  [
    'not found: module m: no matching versions',
    'not found: m@v1.mod: a says: module m: no matching versions',
  ],
  ['Not Found: x', 'not found: m@v1.mod: a says: x'],
  ['', 'not found: m@v1.mod: a says: status 410'],
])('what an origin says, %j, is told with its name', (text, told) => {
  const answer = { missing: { status: 410, text, origin: 'a' }, unanimous: true } as const;
  expect(missing('m@v1.mod', answer, LOCAL)).toMatchObject({
    status: 410,
    text: told,
    cache: 'negative',
  });
  expect(missing('m@v1.mod', { ...answer, unanimous: false }, LOCAL).cache).toBe('failure');
});

const failure = (cause: Failure['cause'], retryAfter?: number): Failure => ({
  origin: 'a',
  cause,
  text: cause,
  ...(retryAfter === undefined ? {} : { retryAfter }),
});

it.each([
  [[failure('unreachable')], 502],
  [[failure('answer'), failure('status')], 502],
  [[failure('unreachable'), failure('timeout')], 504],
  [[failure('overloaded'), failure('overloaded')], 503],
  [[failure('overloaded'), failure('status')], 502],
  [[failure('timeout'), failure('mismatch')], 502],
  [[failure('unchecked'), failure('timeout')], 502],
])('%j is %i and never a 404', (failures, status) => {
  expect(unavailable('m', failures, LOCAL)).toMatchObject({ kind: 'unavailable', status });
});

it('the longest Retry-After is passed on, and none where nobody named one', () => {
  expect(unavailable('m', [failure('overloaded', 7), failure('status', 3)], LOCAL)).toHaveProperty(
    'retryAfter',
    7,
  );
  expect(unavailable('m', [failure('status')], LOCAL)).not.toHaveProperty('retryAfter');
});

it('a module that no origin is configured for is a 404 that nobody keeps: no outage', () => {
  expect(unavailable('m', [], LOCAL)).toMatchObject({
    kind: 'missing',
    status: 404,
    cache: 'failure',
  });
});

it('what is not cached may be tomorrow, and what is malformed never exists', () => {
  expect(notCached('m').cache).toBe('failure');
  expect(malformed('no')).toMatchObject({ status: 404, text: 'not found: no', cache: 'negative' });
});
