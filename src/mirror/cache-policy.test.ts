import { expect, it } from 'vitest';
import { CACHE_CONTROL, CDN_CACHE_CONTROL, NEAR_SECONDS } from './cache-policy.ts';

const NO_STALE = 'stale-if-error=0';

// The whole table once more, so that a change of it is made in two places.
it.each([
  ['immutable', 'public, max-age=31536000, immutable', `max-age=300, ${NO_STALE}`, undefined],
  ['proven', 'public, max-age=31536000, immutable', undefined, undefined],
  ['uncovered', `public, max-age=86400, ${NO_STALE}`, `max-age=300, ${NO_STALE}`, 86_400],
  ['canonicalInfo', `public, max-age=86400, ${NO_STALE}`, `max-age=300, ${NO_STALE}`, 86_400],
  ['mutable', `public, max-age=60, ${NO_STALE}`, `max-age=60, ${NO_STALE}`, 60],
  ['stale', `public, max-age=30, ${NO_STALE}`, `max-age=30, ${NO_STALE}`, undefined],
  ['negative', `public, max-age=30, ${NO_STALE}`, undefined, 30],
  ['failure', 'no-store', undefined, undefined],
] as const)(
  '%s is kept by clients as %j, by the platform as %j, and in the near tier for %s s',
  (name, header, forCdn, seconds) => {
    const nearSeconds: Readonly<Record<string, number>> = NEAR_SECONDS;
    expect([CACHE_CONTROL[name], CDN_CACHE_CONTROL[name], nearSeconds[name]]).toEqual([
      header,
      forCdn,
      seconds,
    ]);
  },
);

it('there is no other class', () => {
  expect(Object.keys(CACHE_CONTROL)).toEqual([
    'immutable',
    'proven',
    'uncovered',
    'canonicalInfo',
    'mutable',
    'stale',
    'negative',
    'failure',
  ]);
});
