/**
 * How long clients, the platform's cache in front of the Worker and the near tier may keep an
 * answer. No other file decides this.
 *
 * Every answer carries a Cache-Control. Without one the platform's cache would keep the answer (a
 * 404 for three minutes), and would serve stale copies on errors without a time limit.
 */
export type CacheClass =
  | 'immutable'
  | 'proven'
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
  // A tile or a look-up of a checksum database.
  proven: 'public, max-age=31536000, immutable',
  // A version without a record in any checksum database may get one later: the databases are asked
  // again every day.
  uncovered: 'public, max-age=86400, stale-if-error=0',
  // No checksum covers an `.info`, so a replaced one is only noticed when the old copy expires.
  canonicalInfo: 'public, max-age=86400, stale-if-error=0',
  // With a minute in the near tier, a new version is visible within two minutes.
  mutable: 'public, max-age=60, stale-if-error=0',
  // A last good copy, served because every origin failed. It expires soon, so that the origins are
  // asked again.
  stale: 'public, max-age=30, stale-if-error=0',
  // During an outage a stale 404 would send the go command to its next source, which may be
  // filtered.
  negative: 'public, max-age=30, stale-if-error=0',
  failure: 'no-store',
};

/** Cache-Control of an answer for holders of a token alone: their own machines may keep it. */
export function privately(cache: CacheClass): string {
  return CACHE_CONTROL[cache].replace(/^public\b/, 'private');
}

/**
 * Cloudflare-CDN-Cache-Control, which the platform's cache in front of the Worker heeds in place of
 * Cache-Control. That cache answers before any code runs, so a rule that refuses a module later
 * does not reach what it holds: it may hold files of modules for five minutes, and no longer when
 * the Worker fails. What a log proves is refused by no rule. Classes without an entry are
 * short-lived by their Cache-Control.
 */
export const CDN_CACHE_CONTROL: Partial<Readonly<Record<CacheClass, string>>> = {
  immutable: 'max-age=300, stale-if-error=0',
  uncovered: 'max-age=300, stale-if-error=0',
  canonicalInfo: 'max-age=300, stale-if-error=0',
  mutable: 'max-age=60, stale-if-error=0',
  stale: 'max-age=30, stale-if-error=0',
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
