import { describeName } from '../read/describe-name.ts';
import type { Entry } from '../read/directory-header.ts';

/**
 * Returns the first name in `entries` that does not start with the UTF-8 bytes of `prefix`, as text
 * that is fit for a message, or undefined if all do. With the prefix `<module path>@<version>/`
 * this is the rule for every file of a module zip, directory entries included. Source:
 * golang.org/x/mod/zip checkZip and Unzip.
 */
export function findNameOutside(
  entries: Iterable<Pick<Entry, 'name'>>,
  prefix: string,
): string | undefined {
  const start = new TextEncoder().encode(prefix);
  for (const { name } of entries) if (!startsWith(name, start)) return describeName(name);
  return undefined;
}

/** A loop, because a zip has thousands of names: `every` takes three times as long. */
export function startsWith(name: Uint8Array, start: Uint8Array): boolean {
  for (let at = 0; at < start.length; at++) if (name[at] !== start[at]) return false;
  return true;
}
