/**
 * How long clients and the near tier may keep an answer. No other file decides this.
 *
 * Every answer carries one of these values. Without a Cache-Control a platform cache in front of
 * the Worker would keep the answer (a 404 for three minutes), and would serve stale copies on
 * errors without a time limit.
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
  // A version without a record in any checksum database may get one later: the databases are asked
  // again every day.
  uncovered: 'public, max-age=86400',
  // No checksum covers an `.info`, so a replaced one is only noticed when the old copy expires.
  canonicalInfo: 'public, max-age=86400',
  mutable: 'public, max-age=60, stale-while-revalidate=600, stale-if-error=86400',
  // A last good copy, served because every origin failed. It expires soon, so that the origins are
  // asked again.
  stale: 'public, max-age=30, stale-if-error=0',
  // During an outage a stale 404 would send the go command to its next source, which may be
  // filtered.
  negative: 'public, max-age=30, stale-if-error=0',
  failure: 'no-store',
};

/**
 * How long the near tier keeps an answer, in seconds. A class without an entry has the tier's own
 * maximum.
 */
export const NEAR_SECONDS = {
  uncovered: 86_400,
  canonicalInfo: 86_400,
  mutable: 60,
  // Together with 30 s at the client, a new version is visible within a minute of its release.
  negative: 30,
} as const satisfies Partial<Record<CacheClass, number>>;
