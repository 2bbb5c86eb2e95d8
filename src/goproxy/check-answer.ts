/**
 * What an answer must look like before it is believed.
 *
 * Filtered networks, captive portals and broken mirrors answer 200 with a page of their own. The go
 * command takes an HTML page on `list` for "no versions" and exits with status 0, so this is where
 * such an answer ends: the origin has failed and the next one is asked. Each function throws
 * `BadAnswer` and otherwise returns nothing; bytes are passed on verbatim.
 */
import { BadAnswer } from '../origins/origin.ts';
import { isSemver, parseVersion } from '../module/version.ts';

/**
 * Go's own limit of a go.mod (golang.org/x/mod/zip.MaxGoMod), in bytes; lists and infos stay far
 * below.
 */
export const MAX_SMALL_FILE = 16 * 1024 * 1024;

/** `@v/list`: a version on some line, or nothing at all. */
export function checkList(bytes: Uint8Array): void {
  const text = decodeText(bytes);
  if (text.trim() === '') return;
  const versions = text.split('\n').map((line) => line.trim().split(/\s/)[0] ?? '');
  if (!versions.some(isSemver)) throw new BadAnswer('a list without any version in it');
}

/**
 * `.info` and `@latest`, by the rules of cmd/go/internal/modfetch: a JSON object with a Version
 * (the requested one if that is canonical) and, where it is given, a Time in RFC 3339 form. Go
 * matches the names in any case.
 */
export function checkInfo(bytes: Uint8Array, requested?: string): void {
  const info = parseObject(decodeText(bytes));
  const version = info.get('version');
  if (requested !== undefined && version !== requested) {
    throw new BadAnswer(
      `info for version ${JSON.stringify(version) ?? 'none'} instead of the requested one`,
    );
  }
  if (typeof version !== 'string' || parseVersion(version) === undefined) {
    throw new BadAnswer(
      `info for ${JSON.stringify(version) ?? 'no version'}, which is no canonical version`,
    );
  }
  const time = info.get('time');
  if (time !== undefined && time !== null && !isTime(time))
    throw new BadAnswer('info with a Time that is no time');
}

/**
 * `.mod`: text with a module directive, which every go.mod has; the rest of its grammar is left to
 * the hash.
 */
export function checkMod(bytes: Uint8Array): void {
  if (!/^[ \t]*module[ \t("`]/m.test(decodeText(bytes)))
    throw new BadAnswer('a go.mod without a module line');
}

/**
 * Fails on a page, whatever type it claims: static servers call a list text/html, and captive
 * portals a page text/plain.
 */
function decodeText(bytes: Uint8Array): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new BadAnswer('a body that is not UTF-8', { cause: error });
  }
  if (/^\s*</.test(text)) throw new BadAnswer('an HTML page');
  return text;
}

function parseObject(text: string): ReadonlyMap<string, unknown> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new BadAnswer('a body that is not JSON', { cause: error });
  }
  if (typeof json !== 'object' || json === null) throw new BadAnswer('JSON that is no object');
  return new Map(Object.entries(json).map(([name, value]) => [name.toLowerCase(), value]));
}

/** As strict as Go's time.Time.UnmarshalJSON: capital T and Z, and a day that its month has. */
const RFC_3339 = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

function isTime(value: unknown): boolean {
  const day = typeof value === 'string' ? RFC_3339.exec(value)?.[1] : undefined;
  if (day === undefined || Number.isNaN(Date.parse(String(value)))) return false;
  // Date takes the 30th of February for the 1st of March.
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}
