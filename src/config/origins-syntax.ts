import * as v from 'valibot';
import { failed, success } from '../effects/result.ts';
import { parseModulePath, versionFitsPath } from '../module/module-path.ts';
import { matches, parsePatterns, type Patterns } from '../module/patterns.ts';
import { parseVersion } from '../module/version.ts';
import type { Origin, OriginLimits } from '../origins/origin.ts';
import {
  basicAuthorization,
  parseAddress,
  parseSecureAddress,
  redact,
  type Address,
} from './address.ts';
import { parseTimeout, TIMEOUT_FORM } from './duration.ts';
import { allOf, problemsOf, type Parsed } from './problems.ts';

export interface OriginsOptions {
  /** The timeouts of every origin that has none of its own. */
  readonly limits: OriginLimits;
  /** The secrets that `auth` may name, by name. */
  readonly secrets: Readonly<Record<string, string>>;
}

/**
 * Parses ORIGINS, in the syntax of GOPROXY (`https://a|https://b,https://c`) or as a JSON table
 * with one object an origin.
 */
export function parseOrigins(text: string, options: OriginsOptions): Parsed<readonly Origin[]> {
  const parsed = text.trimStart().startsWith('[')
    ? parseTable(text, options)
    : parseList(text, options.limits);
  if (!parsed.ok) return parsed;
  if (parsed.value.length === 0) {
    return failed([`Cannot use ORIGINS ${quote(text)}: it names no origin`]);
  }
  return success(withUniqueNames(parsed.value));
}

/**
 * The names of the secrets that a table of origins refers to. None where `text` is no table or a
 * name in it is malformed.
 */
export function secretNames(text: unknown): readonly string[] {
  const table = v.safeParse(References, text);
  return table.success ? table.output.flatMap(({ auth }) => auth ?? []) : [];
}

/**
 * The second origin of a name is called `name#2`: headers, error texts and logs tell origins apart
 * by their names.
 */
function withUniqueNames(origins: readonly Origin[]): readonly Origin[] {
  const counts = new Map<string, number>();
  return origins.map((origin) => {
    const count = (counts.get(origin.name) ?? 0) + 1;
    counts.set(origin.name, count);
    return count === 1 ? origin : { ...origin, name: `${origin.name}#${count}` };
  });
}

const ROW_REMEDY = 'write https, or "insecure": true';
const LIST_REMEDY = 'write https, or a table with "insecure": true for this origin';

function parseList(text: string, limits: OriginLimits): Parsed<readonly Origin[]> {
  const entries = [...text.matchAll(/([^,|]*)([,|]|$)/g)];
  return allOf(
    entries.flatMap(([, item = '', separator], index): readonly Parsed<Origin>[] => {
      const entry = item.trim();
      if (entry === '') return [];
      const address = parseSecureAddress(entry, LIST_REMEDY);
      if (!address.ok) {
        const shown = quote(redact(entry));
        return [failed([`Cannot parse ORIGINS: entry ${index + 1} ${shown} ${address.reason}`])];
      }
      const fallback = separator === ',' ? 'missing' : 'any';
      const refusal = refusalOf(address.value);
      return [success({ ...address.value, fallback, regions: [], refusal, limits })];
    }),
  );
}

const Timeout = v.pipe(v.string(), v.transform(parseTimeout), v.number(`is not ${TIMEOUT_FORM}`));

const SecretName = v.pipe(
  v.string(),
  v.regex(/^[A-Z][A-Z0-9_]*$/, 'is no name of a secret, such as "CORP_TOKEN"'),
);

const Row = v.strictObject({
  name: v.optional(
    v.pipe(v.string(), v.regex(/^[\w.:/-]{1,100}$/, 'is no name of letters, digits and . _ : / -')),
  ),
  url: v.string(),
  insecure: v.optional(v.boolean()),
  modules: v.optional(v.union([v.string(), v.array(v.string())])),
  public: v.optional(v.boolean()),
  decoded: v.optional(v.boolean()),
  regions: v.optional(
    v.array(v.pipe(v.string(), v.regex(/^[A-Z]{2,3}$/, 'is no code such as "FRA", "DE" or "EU"'))),
  ),
  auth: v.optional(SecretName),
  probe: v.optional(v.string()),
  refusal: v.optional(
    v.picklist(
      ['final', 'ordinary'],
      ({ received }) => `${received} is neither "final" nor "ordinary"`,
    ),
  ),
  timeouts: v.optional(
    v.strictObject({ headers: v.optional(Timeout), stall: v.optional(Timeout) }),
  ),
});
type Row = v.InferOutput<typeof Row>;

const Json = v.pipe(
  v.string(),
  v.parseJson(undefined, ({ received }) => {
    // The engine's message quotes the text around the place, and a password may be there.
    const place = /at position \d+/.exec(received)?.[0];
    return `Cannot parse ORIGINS as JSON: ${place ?? 'a table is [{ "url": "https://…" }, …]'}`;
  }),
);
const Table = v.array(Row);
const References = v.pipe(Json, v.array(v.object({ auth: v.optional(SecretName) })));

function parseTable(text: string, options: OriginsOptions): Parsed<readonly Origin[]> {
  const json = v.safeParse(Json, text);
  if (!json.success) return failed(json.issues.map(({ message }) => message));
  const table = v.safeParse(Table, json.output);
  if (!table.success) {
    return failed(
      table.issues.map((issue) => {
        // What was received instead is not shown: it may be an address with a password.
        const message = issue.message.replace(/ but received ".*$/s, '');
        return `Cannot parse ORIGINS: ${v.getDotPath(issue) ?? 'the table'}: ${message}`;
      }),
    );
  }
  return allOf(
    table.output.map((row, index) => {
      const origin = parseRow(row, options);
      if (origin.ok) return origin;
      return failed(
        origin.reason.map((problem) => `Cannot parse ORIGINS: entry ${index + 1}: ${problem}`),
      );
    }),
  );
}

/** A problem goes after the number of the entry. */
function parseRow(row: Row, { limits, secrets }: OriginsOptions): Parsed<Origin> {
  const address = parseUrl(row);
  const modules = parseModules(row.modules);
  const probe = parseProbe(row.probe, modules);
  const authorization = parseAuth(row.auth, secrets);
  if (!address.ok || !modules.ok || !probe.ok || !authorization.ok) {
    return failed(problemsOf([address, modules, probe, authorization]));
  }
  const { name, url, authorization: fromUrl } = address.value;
  return success({
    name: row.name ?? name,
    url,
    fallback: 'any',
    modules: modules.value,
    isPublic: row.public,
    isDecoded: row.decoded,
    probe: probe.value,
    regions: row.regions ?? [],
    refusal: refusalOf(address.value, row.refusal),
    authorization: authorization.value ?? fromUrl,
    limits: {
      headersMs: row.timeouts?.headers ?? limits.headersMs,
      stallMs: row.timeouts?.stall ?? limits.stallMs,
    },
  });
}

/** The official mirror, which says 403 only to what was blocked for security reasons. */
const OFFICIAL_MIRROR = 'proxy.golang.org';

function refusalOf({ url }: Pick<Address, 'url'>, written?: Row['refusal']): Origin['refusal'] {
  const byDefault = new URL(url).hostname === OFFICIAL_MIRROR ? 'final' : 'ordinary';
  return (written ?? byDefault) === 'final' ? 'final' : undefined;
}

function parseUrl({ insecure = false, url }: Row): Parsed<Address> {
  const address = insecure ? parseAddress(url) : parseSecureAddress(url, ROW_REMEDY);
  return address.ok ? address : failed([`url ${quote(redact(url))} ${address.reason}`]);
}

function parseModules(globs: Row['modules']): Parsed<Patterns | undefined> {
  if (globs === undefined) return success(undefined);
  const text = [globs].flat().join(',');
  if (text === '') return failed(['modules: it names none, leave it out for all modules']);
  const patterns = parsePatterns(text);
  return patterns.ok ? patterns : failed(patterns.reason.map((problem) => `modules: ${problem}`));
}

const PROBE_FORM = 'a module and a full version of it, such as "git.corp.example/tool@v1.2.0"';

function parseProbe(
  text: string | undefined,
  modules: Parsed<Patterns | undefined>,
): Parsed<Origin['probe']> {
  if (text === undefined) return success(undefined);
  const at = text.lastIndexOf('@');
  const module = parseModulePath(text.slice(0, Math.max(at, 0)));
  const version = parseVersion(text.slice(at + 1));
  if (!module || !version || !versionFitsPath(module, version)) {
    return failed([`probe ${quote(text)} is not ${PROBE_FORM}`]);
  }
  if (modules.ok && modules.value && !matches(modules.value, module)) {
    return failed([`probe ${quote(module)} is none of its modules`]);
  }
  return success({ module, version });
}

function parseAuth(
  name: string | undefined,
  secrets: OriginsOptions['secrets'],
): Parsed<string | undefined> {
  if (name === undefined) return success(undefined);
  const secret = secrets[name];
  if (!secret) return failed([`auth names the secret ${quote(name)}, which is not set`]);
  return success(authorizationOf(secret));
}

/**
 * `user:password` becomes Basic; anything else is a Bearer token, or a whole header value if it has
 * a space.
 */
function authorizationOf(secret: string): string {
  if (secret.includes(' ')) return secret;
  return secret.includes(':') ? basicAuthorization(secret) : `Bearer ${secret}`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
