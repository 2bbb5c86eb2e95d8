import { type H1, isH1 } from '../bytes/h1.ts';
import { decodeText } from './note.ts';
import { parseDecimal } from './tree-head.ts';

/** What a checksum database returns for a lookup. */
export interface LookupRecord {
  /** Its place in the log, counted from 0. */
  readonly id: number;
  /** The go.sum lines, each with its line break: what the log has hashed. */
  readonly text: string;
  /** The signed tree head of a log with this record. Not verified. */
  readonly note: Uint8Array;
}

const LINE_BREAK = 10;

/**
 * Parses the body of a lookup, or returns undefined if it is none: a line with the id, the text of
 * the record, a blank line, and a signed note. Source: golang.org/x/mod/sumdb/tlog ParseRecord,
 * which also accepts ids such as `-1` and `+07`. No database writes those, and they are refused
 * here.
 */
export function parseRecord(bytes: Uint8Array): LookupRecord | undefined {
  const start = bytes.indexOf(LINE_BREAK) + 1;
  const end = recordEnd(bytes, start);
  if (start === 0 || end === undefined) return undefined;
  const id = parseDecimal(decodeText(bytes.subarray(0, start - 1)) ?? '');
  const text = decodeText(bytes.subarray(start, end));
  const note = new Uint8Array(bytes.subarray(end + 1));
  return id === undefined || text === undefined ? undefined : { id, text, note };
}

/**
 * Where the record text that begins at `start` ends: after the line break before the next blank
 * line. Undefined if there is no blank line.
 */
export function recordEnd(bytes: Uint8Array, start: number): number | undefined {
  for (let at = bytes.indexOf(LINE_BREAK, start); at >= 0; at = bytes.indexOf(LINE_BREAK, at + 1)) {
    if (bytes[at + 1] === LINE_BREAK) return at + 1;
  }
  return undefined;
}

/**
 * Whether a text has a line of the form `module version h1:…`. Beside the record of a look-up it
 * has none: the log does not vouch for it, and go commands without the fix of CVE-2026-56864 read
 * the whole body.
 */
export function hasHashLine(text: string): boolean {
  return /^[^ \n]+ [^ \n]+ h1:/m.test(text);
}

/**
 * The hashes of a version in the text of its record: those of its zip and of its go.mod, as `h1:…`.
 * Undefined when either is missing or malformed. Lines of other versions and of other algorithms
 * are skipped. Of two lines for one file the first counts, as in cmd/go/internal/modfetch
 * checkSumDB.
 */
export function recordHashes(
  text: string,
  module: string,
  version: string,
): { readonly zip: H1; readonly mod: H1 } | undefined {
  const lines = text.split('\n');
  const find = (prefix: string) => {
    const hash = lines.find((line) => line.startsWith(`${prefix} h1:`))?.slice(prefix.length + 1);
    return hash !== undefined && isH1(hash) ? hash : undefined;
  };
  const zip = find(`${module} ${version}`);
  const mod = find(`${module} ${version}/go.mod`);
  return zip === undefined || mod === undefined ? undefined : { zip, mod };
}
