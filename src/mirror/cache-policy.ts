import type { ModuleRequest } from '../goproxy/request.ts';

/**
 * How long an answer may be kept, and by whom: the only place that says so.
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
  // A version that no checksum database has a record of (yet): whether it is what it should be is
  // asked again every day.
  uncovered: 'public, max-age=86400',
  // Not covered by any checksum, and so not for ever with those who cannot be told that a stored
  // one was replaced.
  canonicalInfo: 'public, max-age=86400',
  mutable: 'public, max-age=60, stale-while-revalidate=600, stale-if-error=86400',
  // A last good copy, because nobody could be asked: the next request asks again.
  stale: 'public, max-age=30, stale-if-error=0',
  // A 404 that outlives its time because of an outage would send clients to the filtered route.
  negative: 'public, max-age=30, stale-if-error=0',
  failure: 'no-store',
};

/**
 * How long the edge cache of a data centre believes an answer, in seconds; an answer without entry
 * stays for ever.
 */
export const EDGE_SECONDS: Readonly<Partial<Record<CacheClass, number>>> = {
  uncovered: 86_400,
  canonicalInfo: 86_400,
  mutable: 60,
  // With the 30 s that the client may keep it: a version is visible a minute after it was
  // published.
  negative: 30,
};

const CLASS = {
  list: 'mutable',
  latest: 'mutable',
  query: 'mutable',
  info: 'canonicalInfo',
  mod: 'immutable',
  zip: 'immutable',
} as const satisfies Record<ModuleRequest['kind'], CacheClass>;

/** The cache class of a successful answer. */
export function cacheClassOf<K extends ModuleRequest['kind']>({
  kind,
}: {
  readonly kind: K;
}): (typeof CLASS)[K] {
  return CLASS[kind];
}
