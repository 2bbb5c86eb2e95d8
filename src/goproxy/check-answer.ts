/**
 * Checks that the body of a 200 can be the requested file.
 *
 * Filtered networks, captive portals and broken mirrors answer 200 with a page of their own. The go
 * command reads an HTML page on `list` as "no versions" and exits with status 0. Here such an
 * answer counts as a failure of the origin, and the next origin is asked. A body that passes is
 * forwarded unchanged.
 */
import { failed, type Result, success } from '../effects/result.ts';
import { isSemver, parseVersion, type Version } from '../module/version.ts';
import { type FailureReason, wrongContent } from '../origins/failure.ts';
import { MAX_NOTICE_BYTES } from '../zip/rules/sizes.ts';
import { directivesOf } from './go-mod.ts';

/** Go's limit for a go.mod (golang.org/x/mod/zip.MaxGoMod). No other small file is larger. */
export const MAX_SMALL_FILE_BYTES = MAX_NOTICE_BYTES;

/** An info names its origin at most, in some hundred bytes. */
export const MAX_INFO_BYTES = 64 * 1024;

/** The longest lists have some ten thousand versions, of some 40 bytes each. */
export const MAX_LIST_BYTES = 2 * 1024 * 1024;

/** Succeeds when these bytes can be the file, else fails with the reason. */
export type Check = (bytes: Uint8Array) => Result<void, FailureReason>;

const VALID = success(undefined);

/**
 * `@v/list`: at least one line with a version, or an empty body. Some proxies end it without a line
 * feed (goproxy and Athens do), but their last line is a whole version: where it is the beginning of
 * one, a body without a declared length was cut short.
 */
export function checkList(bytes: Uint8Array): ReturnType<Check> {
  const text = decodeText(bytes);
  if (!text.ok) return text;
  if (text.value.trim() === '') return VALID;
  const versions = text.value.split('\n').map((line) => line.trim().split(/\s/)[0] ?? '');
  if (!versions.some(isSemver)) return failed(wrongContent('a list without any version in it'));
  return /^v\d*(?:\.\d*)?\.?$/.test(versions.at(-1) ?? '')
    ? failed(wrongContent('a list that breaks off within a version'))
    : VALID;
}

/**
 * `.info` and `@latest`, by the rules of cmd/go/internal/modfetch: a JSON object with a canonical
 * Version and, optionally, a Time in RFC 3339 form. Go ignores the case of the names. `requested`
 * is the version that Version must equal, where it is known.
 */
export function checkInfo(bytes: Uint8Array, requested?: string): ReturnType<Check> {
  const info = parseObject(bytes);
  if (!info.ok) return info;
  const version = info.value.get('version');
  const shown = JSON.stringify(version);
  if (requested !== undefined && version !== requested) {
    return failed(
      wrongContent(
        'info for another version',
        `info for version ${shown ?? 'none'} instead of the requested one`,
      ),
    );
  }
  if (typeof version !== 'string' || parseVersion(version) === undefined) {
    return failed(
      wrongContent(
        'info without a canonical version',
        `info for ${shown ?? 'no version'}, which is no canonical version`,
      ),
    );
  }
  const time = info.value.get('time');
  const isValid = time === undefined || time === null || isTime(time);
  return isValid ? VALID : failed(wrongContent('info with a Time that is no time'));
}

/** The version that an `.info` or `@latest` names; undefined where it names none. */
export function versionOfInfo(bytes: Uint8Array): Version | undefined {
  const info = parseObject(bytes);
  const version = info.ok ? info.value.get('version') : undefined;
  return typeof version === 'string' ? parseVersion(version) : undefined;
}

/** The Time of an `.info` in milliseconds since the epoch; undefined where it has none. */
export function timeOfInfo(bytes: Uint8Array): number | undefined {
  const info = parseObject(bytes);
  const time = info.ok ? info.value.get('time') : undefined;
  const ms = typeof time === 'string' ? Date.parse(time) : NaN;
  return Number.isNaN(ms) ? undefined : ms;
}

/**
 * `.mod` where no log has its hash: what the go command accepts as the go.mod of a dependency. It
 * has one module directive with one path, and its blocks are closed. Text that is not UTF-8, and
 * unknown directives, are no obstacle (golang.org/x/mod/modfile ParseLax; goModSummary of
 * cmd/go/internal/modload). The path may be another one than that of `module`, as a fork is required
 * by a replace directive. But where the file ends within the path of the module it was cut short.
 */
export function checkMod(bytes: Uint8Array, module?: string): ReturnType<Check> {
  const text = decodeText(bytes, { fatal: false });
  if (!text.ok) return text;
  const { args, isOpen } = directivesOf(text.value, 'module');
  const paths = args.map(([path = '', ...more]) => (more.length > 0 ? '' : path));
  const [path] = paths;
  if (path === undefined) return failed(wrongContent('a go.mod without a module line'));
  if (paths.length > 1 || path === '')
    return failed(wrongContent('text with a module line that is none of a go.mod'));
  const isCut = path !== module && module?.startsWith(path) && text.value.trimEnd().endsWith(path);
  return isOpen || (isCut && !text.value.endsWith('\n'))
    ? failed(wrongContent('a go.mod that breaks off'))
    : VALID;
}

/** The paths of the module directives of a go.mod, of which `checkMod` accepts exactly one. */
export function declaredModules(bytes: Uint8Array): readonly string[] {
  return directivesOf(new TextDecoder().decode(bytes), 'module').args.map(([path = '']) => path);
}

/**
 * Decodes UTF-8 and refuses HTML by its first character. Content-Type does not tell: static servers
 * label a list text/html, and captive portals label a page text/plain.
 */
function decodeText(bytes: Uint8Array, { fatal } = { fatal: true }): Result<string, FailureReason> {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal }).decode(bytes);
  } catch {
    return failed(wrongContent('a body that is not UTF-8'));
  }
  return /^\s*</.test(text) ? failed(wrongContent('an HTML page')) : success(text);
}

function parseObject(bytes: Uint8Array): Result<ReadonlyMap<string, unknown>, FailureReason> {
  const text = decodeText(bytes);
  if (!text.ok) return text;
  let json: unknown;
  try {
    json = JSON.parse(text.value);
  } catch {
    return failed(wrongContent('a body that is not JSON'));
  }
  if (typeof json !== 'object' || json === null)
    return failed(wrongContent('JSON that is no object'));
  return success(new Map(Object.entries(json).map(([name, value]) => [name.toLowerCase(), value])));
}

const RFC_3339 = /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * Whether a value is a time as in RFC 3339. As strict as Go's time.Time.UnmarshalJSON: upper-case T and
 * Z, and a day that exists.
 */
export function isTime(value: unknown): boolean {
  const day = typeof value === 'string' ? RFC_3339.exec(value)?.[1] : undefined;
  if (day === undefined || Number.isNaN(Date.parse(String(value)))) return false;
  // Date reads the 30th of February as the 1st of March.
  return new Date(`${day}T00:00:00Z`).toISOString().startsWith(day);
}
