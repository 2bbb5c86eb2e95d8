/**
 * How long clients and the near tier may keep an answer: the only place that decides it.
 *
 * Every answer carries one of these. A platform cache in front of the Worker keeps what has no
 * Cache-Control (a 404 for three minutes) and serves stale copies on errors without end unless told
 * otherwise.
 */
export type CacheClass =
  | 'immutable'
  | 'uncovered'
  | 'canonicalInfo'
  | 'mutable'
  | 'stale'
  | 'negative'
  | 'failure';

export const CACHE_CONTROL: Readonly<Record<CacheClass, string>> = {
  // "A module proxy must always serve the same content for successful responses for .mod and .zip"
  // (go.dev/ref/mod).
  immutable: 'public, max-age=31536000, immutable',
  // A version that no checksum database has a record of (yet): the databases are asked again every
  // day.
  uncovered: 'public, max-age=86400',
  // No checksum covers it, and a client cannot be told that a stored one was replaced: so not for
  // ever.
  canonicalInfo: 'public, max-age=86400',
  mutable: 'public, max-age=60, stale-while-revalidate=600, stale-if-error=86400',
  // A last good copy, because no origin could be asked: the next request asks again.
  stale: 'public, max-age=30, stale-if-error=0',
  // A 404 that outlives its time because of an outage would send clients to the filtered route.
  negative: 'public, max-age=30, stale-if-error=0',
  failure: 'no-store',
};

/**
 * Seconds that the near tier keeps an answer; a class without an entry stays there for as long as
 * the tier keeps it.
 */
export const NEAR_SECONDS = {
  uncovered: 86_400,
  canonicalInfo: 86_400,
  mutable: 60,
  // With the 30 s that the client may keep it, a version is visible a minute after its release.
  negative: 30,
} as const satisfies Partial<Record<CacheClass, number>>;
