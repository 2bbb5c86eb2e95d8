// What every row of docs/conformance.md is asserted with. The values stand here once more on
// purpose: a change of the cache policy has to be made in two places.
export const TEXT = 'text/plain; charset=utf-8';
export const JSON_TYPE = 'application/json';
export const ZIP = 'application/zip';
export const TILE = 'application/octet-stream';
export const IMMUTABLE = 'public, max-age=31536000, immutable';
export const CANONICAL_INFO = 'public, max-age=86400, stale-if-error=0';
export const MUTABLE = 'public, max-age=60, stale-if-error=0';
export const NEGATIVE = 'public, max-age=30, stale-if-error=0';
export const NO_STORE = 'no-store';

/** A file of a version that no checksum database covers. */
export const UNCOVERED = 'public, max-age=86400, stale-if-error=0';

/** A last good copy, because no origin could be asked. */
export const STALE = 'public, max-age=30, stale-if-error=0';

/** The Cache-Status of a last good copy; what the failed requests took comes behind. */
export const STALE_STATUS = /^modferry; fwd=stale; detail=r2(;|$)/;

/** The Cache-Status of an answer from a store. */
export const HIT_STATUS = /^modferry; hit; detail=(edge|kv|r2)$/;

/** The Cache-Status of an answer that needs neither a store nor an origin. */
export const LOCAL_STATUS = 'modferry; detail=local';

/** What a file is answered with besides its bytes, by the end of its path. */
export const FILE_HEADERS = {
  list: { type: TEXT, cache: MUTABLE },
  latest: { type: JSON_TYPE, cache: MUTABLE },
  query: { type: JSON_TYPE, cache: MUTABLE },
  info: { type: JSON_TYPE, cache: CANONICAL_INFO },
  mod: { type: TEXT, cache: IMMUTABLE },
  zip: { type: ZIP, cache: IMMUTABLE },
} as const;

export type FileKind = keyof typeof FILE_HEADERS;
