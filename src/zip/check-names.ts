import type { Entry } from './directory-header.ts';

/**
 * Returns the first name in `entries` that does not start with the UTF-8 bytes of `prefix`, made fit for a message, or
 * undefined if all do. With the prefix `<module path>@<version>/` this is the rule for every file of a module zip,
 * directory entries included. Source: golang.org/x/mod/zip checkZip and Unzip.
 */
export function findNameOutside(entries: Iterable<Pick<Entry, 'name'>>, prefix: string): string | undefined {
  const start = new TextEncoder().encode(prefix);
  for (const { name } of entries) {
    if (!start.every((byte, at) => name[at] === byte)) return describeName(name);
  }
  return undefined;
}

const SHOWN_BYTES = 200;

/**
 * Names reach terminals and logs, and the author of the zip chose them: escape sequences, line breaks and marks that
 * reverse the direction of text become U+FFFD, as invalid UTF-8 does, and long names are cut.
 */
function describeName(name: Uint8Array): string {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(name.subarray(0, SHOWN_BYTES));
  const plain = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\ufffd');
  return name.length > SHOWN_BYTES ? `${plain}…` : plain;
}
