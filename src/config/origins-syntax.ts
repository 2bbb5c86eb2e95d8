import * as v from 'valibot';
import { matches, parsePatterns } from '../module/patterns.ts';
import { parseModulePath, versionFitsPath } from '../module/module-path.ts';
import { parseVersion } from '../module/version.ts';
import { parseTimeout, TIMEOUT_FORM } from './duration.ts';
import type { Origin, OriginLimits } from '../origins/origin.ts';

/**
 * ORIGINS, in the syntax of GOPROXY (`https://a|https://b,https://c`) or as a JSON table with one
 * object an origin. Every problem is pushed to `problems`; an origin with a problem is left out.
 */
export function parseOrigins(
  text: string,
  context: {
    readonly limits: OriginLimits;
    /** Value of the secret that an origin's `auth` names. */
    readonly secret: (name: string) => string | undefined;
    readonly problems: string[];
  },
): readonly Origin[] {
  const before = context.problems.length;
  const origins = text.trimStart().startsWith('[')
    ? parseTable(text, context)
    : parseList(text, context);
  if (origins.length === 0 && context.problems.length === before) {
    context.problems.push(`Cannot use ORIGINS ${quote(text)}: it names no origin`);
  }
  return withOwnNames(origins);
}

/**
 * The second origin of a name is called `name#2`: names tell origins apart in headers, texts and
 * logs.
 */
function withOwnNames(origins: readonly Origin[]): readonly Origin[] {
  const counts = new Map<string, number>();
  return origins.map((origin) => {
    const count = (counts.get(origin.name) ?? 0) + 1;
    counts.set(origin.name, count);
    return count === 1 ? origin : { ...origin, name: `${origin.name}#${count}` };
  });
}

type Context = Parameters<typeof parseOrigins>[1];

function parseList(text: string, { limits, problems }: Context): readonly Origin[] {
  const origins: Origin[] = [];
  for (const [index, [, item = '', separator]] of [
    ...text.matchAll(/([^,|]*)([,|]|$)/g),
  ].entries()) {
    const entry = item.trim();
    if (entry === '') continue;
    const address = parseAddress(entry);
    if (typeof address === 'string') {
      problems.push(`Cannot parse ORIGINS: entry ${index + 1} ${quote(redact(entry))} ${address}`);
      continue;
    }
    origins.push({
      ...address,
      fallback: separator === ',' ? 'missing' : 'any',
      regions: [],
      limits,
    });
  }
  return origins;
}

const Timeout = v.pipe(
  v.string(),
  v.check((text) => parseTimeout(text) !== undefined, `is not ${TIMEOUT_FORM}`),
  v.transform((text) => parseTimeout(text) ?? 0),
);

const Table = v.array(
  v.strictObject({
    name: v.optional(
      v.pipe(
        v.string(),
        v.regex(/^[\w.:/-]{1,100}$/, 'is no name of letters, digits and . _ : / -'),
      ),
    ),
    url: v.string(),
    modules: v.optional(v.union([v.string(), v.array(v.string())])),
    regions: v.optional(
      v.array(
        v.pipe(v.string(), v.regex(/^[A-Z]{2,3}$/, 'is no code such as "FRA", "DE" or "EU"')),
      ),
    ),
    auth: v.optional(
      v.pipe(
        v.string(),
        v.regex(/^[A-Z][A-Z0-9_]*$/, 'is no name of a secret, such as "CORP_TOKEN"'),
      ),
    ),
    probe: v.optional(v.string()),
    timeouts: v.optional(
      v.strictObject({ headers: v.optional(Timeout), stall: v.optional(Timeout) }),
    ),
  }),
);

function parseTable(text: string, context: Context): readonly Origin[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    // The engine's message quotes the text around the place, and a password may be there.
    const place =
      /at position \d+/.exec(String(error))?.[0] ?? 'a table is [{ "url": "https://…" }, …]';
    context.problems.push(`Cannot parse ORIGINS as JSON: ${place}`);
    return [];
  }
  const table = v.safeParse(Table, json);
  if (!table.success) {
    for (const issue of table.issues) {
      // What was received instead is not shown: it may be an address with a password.
      const message = issue.message.replace(/ but received ".*$/s, '');
      context.problems.push(
        `Cannot parse ORIGINS: ${v.getDotPath(issue) ?? 'the table'}: ${message}`,
      );
    }
    return [];
  }
  return table.output.flatMap((row, index) => parseRow(row, index, context));
}

function parseRow(
  row: v.InferOutput<typeof Table>[number],
  index: number,
  { limits, secret, problems }: Context,
): readonly Origin[] {
  const found: string[] = [];
  const address = parseAddress(row.url);
  if (typeof address === 'string') found.push(`url ${quote(redact(row.url))} ${address}`);
  const modules =
    row.modules === undefined ? undefined : parsePatterns([row.modules].flat().join(','));
  if (modules?.kind === 'malformed')
    found.push(...modules.problems.map((problem) => `modules: ${problem}`));
  const probe = row.probe === undefined ? undefined : parseProbe(row.probe);
  if (row.probe !== undefined && !probe)
    found.push(`probe ${quote(row.probe)} is not ${PROBE_FORM}`);
  if (probe && modules?.kind === 'parsed' && !matches(modules.patterns, probe.module))
    found.push(`probe ${quote(probe.module)} is none of its modules`);
  const credentials = row.auth === undefined ? undefined : secret(row.auth);
  if (row.auth !== undefined && !credentials)
    found.push(`auth names the secret ${quote(row.auth)}, which is not set`);

  problems.push(...found.map((problem) => `Cannot parse ORIGINS: entry ${index + 1}: ${problem}`));
  if (found.length > 0 || typeof address === 'string') return [];
  const authorization = credentials ? authorizationOf(credentials) : address.authorization;
  return [
    {
      name: row.name ?? address.name,
      url: address.url,
      fallback: 'any',
      ...(modules?.kind === 'parsed' ? { modules: modules.patterns } : {}),
      ...(probe ? { probe } : {}),
      regions: row.regions ?? [],
      ...(authorization ? { authorization } : {}),
      limits: {
        headers: row.timeouts?.headers ?? limits.headers,
        stall: row.timeouts?.stall ?? limits.stall,
      },
    },
  ];
}

const PROBE_FORM = 'a module and a full version of it, such as "git.corp.example/tool@v1.2.0"';

function parseProbe(text: string): Origin['probe'] | undefined {
  const at = text.lastIndexOf('@');
  const module = parseModulePath(text.slice(0, Math.max(at, 0)));
  const version = parseVersion(text.slice(at + 1));
  return module && version && versionFitsPath(module, version) ? { module, version } : undefined;
}

/** The names of the secrets that a table of origins refers to; none when it cannot be parsed. */
export function secretNames(text: string): readonly string[] {
  try {
    const table = v.safeParse(
      v.array(v.object({ auth: v.optional(v.string()) })),
      JSON.parse(text),
    );
    return table.success ? table.output.flatMap(({ auth }) => auth ?? []) : [];
  } catch {
    return [];
  }
}

/**
 * `user:password` becomes Basic; anything else is a Bearer token, or a whole header value if it has
 * a space.
 */
function authorizationOf(credentials: string): string {
  if (credentials.includes(' ')) return credentials;
  return credentials.includes(':') ? `Basic ${base64(credentials)}` : `Bearer ${credentials}`;
}

export interface Address {
  readonly name: string;
  /** Without a trailing slash. */
  readonly url: string;
  readonly authorization?: string;
}

/**
 * An origin's address, or what is wrong with it, as the end of a sentence. As in GOPROXY, https is
 * meant where no scheme is given, and credentials may stand before the host.
 */
export function parseAddress(text: string): Address | string {
  if (text === 'direct' || text === 'off') {
    return 'is not an origin: modferry has no version control system to go to, so name proxies only';
  }
  const url = URL.parse(
    /^[a-z][a-z0-9+.-]*:\/\//i.test(text) || !/[.:/]/.test(text) ? text : `https://${text}`,
  );
  if (!url) return 'is no address';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'has no http or https scheme';
  if (url.search || url.hash) return 'has a query or a fragment, which no GOPROXY path can follow';
  const credentials = decodeText(`${url.username}:${url.password}`);
  if (credentials === undefined) return 'has a "%" in its credentials that is not written as "%25"';
  const path = url.pathname.replace(/\/+$/, '');
  return {
    // The host alone: a path may hold a token, and the name is shown to everybody.
    name: url.host,
    url: `${url.protocol}//${url.host}${path}`,
    ...(credentials === ':' ? {} : { authorization: `Basic ${base64(credentials)}` }),
  };
}

/**
 * An address as it may be shown: without a password, also where it is no address and the password
 * is not written well.
 */
export function redact(address: string): string {
  return address.replace(/^([a-z][a-z0-9+.-]*:\/\/)?.*@/is, '$1…@');
}

function decodeText(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}

function quote(text: string): string {
  return JSON.stringify(text);
}
