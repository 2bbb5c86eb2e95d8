import { parseAge, VERSION_AGE } from '../config/duration.ts';
import { failed, type Result, success } from '../effects/result.ts';

const COOLDOWN = '/cooldown';
const CACHED_ONLY = '/cached-only';

/** A path without the prefixes that say how a request is answered. */
export interface PrefixedPath {
  readonly path: string;
  /** Whether it was below `/cached-only/`. */
  readonly isCachedOnly: boolean;
  /** The minimum age of `/cooldown/<age>/`, in milliseconds. */
  readonly cooldownMs: number | undefined;
}

/**
 * Takes `/cooldown/<age>` and then `/cached-only` off the path of a URL, which is still
 * percent-encoded. A failure says what is wrong with the age: as a 404 it would send the go command
 * to its next source, where nothing holds versions back.
 */
export function parsePrefixes(pathname: string): Result<PrefixedPath> {
  if (pathname !== COOLDOWN && !pathname.startsWith(`${COOLDOWN}/`))
    return success({ ...cachedOnly(pathname), cooldownMs: undefined });
  const [, , age = '', ...rest] = pathname.split('/');
  const cooldownMs = parseAge(age, VERSION_AGE);
  if (cooldownMs !== undefined) return success({ ...cachedOnly(`/${rest.join('/')}`), cooldownMs });
  const shown = JSON.stringify(age.slice(0, MAX_SHOWN));
  return failed(`Cannot use the age ${shown} of /cooldown/<age>/: write ${VERSION_AGE.form}`);
}

/** Of a malformed age so many characters are shown. */
const MAX_SHOWN = 40;

function cachedOnly(pathname: string): Omit<PrefixedPath, 'cooldownMs'> {
  const isCachedOnly = pathname.startsWith(`${CACHED_ONLY}/`);
  return { path: isCachedOnly ? pathname.slice(CACHED_ONLY.length) : pathname, isCachedOnly };
}
