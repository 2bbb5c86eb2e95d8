import { expect, it } from 'vitest';
import { CACHE_CONTROL, NEAR_SECONDS } from './cache-policy.ts';

// The whole table once more, so that a change of it is made in two places.
it.each([
  ['immutable', 'public, max-age=31536000, immutable', undefined],
  ['uncovered', 'public, max-age=86400', 86_400],
  ['canonicalInfo', 'public, max-age=86400', 86_400],
  ['mutable', 'public, max-age=60, stale-while-revalidate=600, stale-if-error=86400', 60],
  ['stale', 'public, max-age=30, stale-if-error=0', undefined],
  ['negative', 'public, max-age=30, stale-if-error=0', 30],
  ['failure', 'no-store', undefined],
] as const)(
  '%s is kept by clients as %j, and in the near tier for %s s',
  (name, header, seconds) => {
    const nearSeconds: Readonly<Record<string, number>> = NEAR_SECONDS;
    expect([CACHE_CONTROL[name], nearSeconds[name]]).toEqual([header, seconds]);
  },
);

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
