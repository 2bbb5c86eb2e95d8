import { expect, it } from 'vitest';
import { type Failure, type FailureReason, wrongContent } from '../origins/failure.ts';
import { malformed, missing, notCached, unavailable } from './messages.ts';
import { LOCAL } from './outcome.ts';

it.each([
  [
    'not found: module m: no matching versions',
    'not found: m@v1.mod: a says: module m: no matching versions',
  ],
  ['Not Found: x', 'not found: m@v1.mod: a says: x'],
  ['', 'not found: m@v1.mod: a says: status 410'],
])('the "not found" of an origin, %j, is shown with its name', (text, shown) => {
  const answer = { status: 410, text, origin: 'a' } as const;
  expect(missing('m@v1.mod', answer, { isUnanimous: true, source: LOCAL })).toMatchObject({
    status: 410,
    text: shown,
    cache: 'negative',
  });
  expect(missing('m@v1.mod', answer, { isUnanimous: false, source: LOCAL })).toMatchObject({
    cache: 'failure',
  });
});

it('the refusal of an origin is one of modferry', () => {
  const answer = { status: 403, text: 'blocked by policy', origin: 'a' } as const;
  expect(missing('m@v1.mod', answer, { isUnanimous: true, source: LOCAL })).toEqual({
    kind: 'refused',
    text: 'refused: m@v1.mod: a says: blocked by policy',
    source: LOCAL,
  });
});

it.each([
  ['not found: m@v1.mod: b says: no', 'not found: m@v1.mod: a says: b says: no'],
  ['not found: other@v1.mod: no', 'not found: m@v1.mod: a says: other@v1.mod: no'],
])('the text of another modferry, %j, does not repeat the subject', (text, shown) => {
  const answer = { status: 404, text, origin: 'a' } as const;
  expect(missing('m@v1.mod', answer, { isUnanimous: true, source: LOCAL }).text).toBe(shown);
});

it('the words of a failure reach the user, also those that another modferry passes on', () => {
  const reason: FailureReason = {
    kind: 'status',
    status: 502,
    words: 'cannot get m@v1.mod: c: status 500: disk full (request 1)',
  };
  expect(unavailable('m@v1.mod', [{ origin: 'b', reason }], LOCAL).text).toBe(
    'cannot get m@v1.mod: b: status 502: c: status 500: disk full (request 1)',
  );
});

const hashes = { database: 'sum.example', expected: 'h1:x', found: 'h1:y' };
const reasons = {
  unreachable: { kind: 'unreachable' },
  timeout: { kind: 'timeout', ms: 10_000 },
  'not asked': { kind: 'not asked', because: 'the time was up' },
  'not now': { kind: 'not now', text: 'fetch timed out' },
  status: { kind: 'status', status: 500 },
  overloaded: { kind: 'overloaded', status: 503 },
  'wrong content': wrongContent('an HTML page'),
  mismatch: { kind: 'mismatch', hashes },
  unchecked: { kind: 'unchecked', text: 'no answer' },
  store: { kind: 'store' },
  limit: { kind: 'limit' },
} satisfies Record<string, FailureReason>;

const failure = (kind: keyof typeof reasons, retryAfterSeconds?: number): Failure => ({
  origin: 'a',
  reason: reasons[kind],
  retryAfterSeconds,
});

it.each<[readonly (keyof typeof reasons)[], number]>([
  [['unreachable'], 502],
  [['wrong content', 'status'], 502],
  [['unreachable', 'timeout'], 504],
  [['unreachable', 'not asked'], 504],
  [['not now'], 504],
  [['overloaded', 'overloaded'], 503],
  [['overloaded', 'status'], 502],
  [['timeout', 'mismatch'], 502],
  [['unchecked', 'timeout'], 502],
  [['store'], 502],
  [['limit'], 503],
  [['timeout', 'limit', 'status'], 503],
  [['limit', 'mismatch'], 502],
])('%j is %i and never a 404', (kinds, status) => {
  const failures = kinds.map((kind) => failure(kind));
  expect(unavailable('m', failures, LOCAL)).toMatchObject({ kind: 'unavailable', status });
});

it('the text names every origin with its failure', () => {
  const failures = [failure('status'), { ...failure('mismatch'), origin: 'b' }];
  expect(unavailable('m', failures, LOCAL)).toHaveProperty(
    'text',
    'cannot get m: a: status 500; b: hash h1:y where sum.example has h1:x',
  );
});

it('the longest Retry-After is passed on, and none where no origin named one', () => {
  expect(unavailable('m', [failure('overloaded', 7), failure('status', 3)], LOCAL)).toHaveProperty(
    'retryAfterSeconds',
    7,
  );
  expect(unavailable('m', [failure('status')], LOCAL)).toHaveProperty(
    'retryAfterSeconds',
    undefined,
  );
});

it('a request that has made all its calls may be repeated at once', () => {
  expect(unavailable('m', [failure('timeout'), failure('limit')], LOCAL)).toHaveProperty(
    'retryAfterSeconds',
    1,
  );
});

it('a module that no origin is configured for is a 404 that is not kept: no outage', () => {
  expect(unavailable('m', [], LOCAL)).toMatchObject({
    kind: 'missing',
    status: 404,
    cache: 'failure',
  });
});

it('a file that is not cached may exist tomorrow, and a malformed path never exists', () => {
  expect(notCached('m').cache).toBe('failure');
  expect(malformed('no')).toMatchObject({ status: 404, text: 'not found: no', cache: 'negative' });
});
