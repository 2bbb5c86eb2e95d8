import * as v from 'valibot';
import type { AccessMode } from '../access/gate.ts';
import { parseRules, type Rules } from '../access/policy/rules.ts';
import type { MinimumAge } from '../access/policy/age-limits.ts';
import { parseTokens, type Token } from '../access/token.ts';
import { failed, success } from '../effects/result.ts';
import { matches, parsePatterns, type Patterns } from '../module/patterns.ts';
import { isPrivateOrigin, type Origin } from '../origins/origin.ts';
import { isOwnHost } from '../origins/request/own-host.ts';
import { withCarriers } from '../sumdb/carriers.ts';
import type { Database } from '../sumdb/database.ts';
import { ipAddressOf } from './address.ts';
import { parseDatabases } from './databases-syntax.ts';
import { parseOrigins, secretNames, type OriginsOptions } from './origins-syntax.ts';
import type { Parsed } from './problems.ts';
import {
  choice,
  hostName,
  maximumAge,
  minimumAge,
  parsedBy,
  text,
  timeout,
  type Variables,
} from './variables.ts';

/** The whole configuration, complete and valid: no other code reads a variable. */
export interface Config {
  readonly origins: readonly Origin[];
  readonly databases: readonly Database[];
  /**
   * Modules of PRIVATE, and of origins that have some of their own. They are named to no other origin
   * and to no checksum database, and served only to those who may have them.
   */
  readonly privateModules: Patterns;
  /** Who reads public modules. */
  readonly access: AccessMode;
  /** The tokens of TOKENS. */
  readonly tokens: readonly Token[];
  /** What may be had, where it is not empty, and what may not. */
  readonly allow: Rules;
  readonly deny: Rules;
  /** How old a version has to be. */
  readonly minimumAge: MinimumAge;
  /**
   * What is compared with the checksum databases before it is kept: nothing, `.mod`, or `.mod` and
   * `.zip`.
   */
  readonly verify: 'off' | 'mod' | 'all';
  /**
   * Whether the deployment is on the paid plan of Workers. It is no variable of its own: `VERIFY=all`
   * needs the CPU time of that plan, so whoever sets it has the plan. Others may have it too, and
   * only lack some hedges and jobs.
   */
  readonly isPaidPlan: boolean;
  /** Time until the first byte of an answer, over all origins. */
  readonly totalLimitMs: number;
  /** How old a last good copy may be that is served in an outage, in milliseconds. */
  readonly staleMaxMs: number;
  /** How long a stream may go without progress. */
  readonly stallLimitMs: number;
  /** The host name of this deployment under which the edge cache keeps files. */
  readonly cacheHost: string | undefined;
  /** How many external calls the platform allows a request: `fetch`, redirects, the Cache API. */
  readonly externalCalls: number;
  readonly logClientAddress: boolean;
  /** Sentences for the operator, to be shown at the start. */
  readonly warnings: readonly string[];
}

/**
 * Every default. The three public proxies are mirrors of one another, so any failure of one moves
 * on to the next (`|`). Each has an operator and a network of its own.
 */
export const DEFAULTS = {
  ORIGINS: 'https://proxy.golang.org|https://goproxy.cn|https://goproxy.io',
  SUMDBS: 'sum.golang.org',
  VERIFY: 'all',
  PRIVATE: '',
  ACCESS: 'public',
  ALLOW: '',
  DENY: '',
  MIN_AGE: '',
  MIN_AGE_MODE: 'enforce',
  MIN_AGE_EXEMPT: '',
  // proxy.golang.org takes up to 60 s for a version that nobody has asked for, or that it cannot get.
  TIMEOUT_HEADERS: '65s',
  TIMEOUT_STALL: '20s',
  TIMEOUT_TOTAL: '75s',
  STALE_MAX: '',
  CACHE_HOST: '',
  LOG_CLIENT_ADDRESS: 'off',
} as const;

/** The name of every variable that is read, but for the secrets that an origin's `auth` names. */
export const VARIABLE_NAMES: readonly string[] = [...Object.keys(DEFAULTS), 'TOKENS'];

/**
 * Parses the configuration. An empty variable means its default. Reports every problem at once,
 * each with the variable, the value and the remedy, and fails closed: a protection that is asked
 * for and cannot be given is a problem too.
 */
export function parseConfig(variables: Variables): Parsed<Config> {
  const timeouts = v.safeParse(Timeouts, variables);
  const secrets = v.safeParse(secretsSchema(variables['ORIGINS']), variables);
  // Where a timeout or a secret is wrong, the rest is parsed for its problems alone, so what stands
  // in for it is never used.
  const settings = v.safeParse(
    settingsSchema({
      limits: timeouts.success ? timeouts.output.limits : { headersMs: 0, stallMs: 0 },
      secrets: secrets.success ? secrets.output : {},
    }),
    variables,
  );
  if (!timeouts.success || !secrets.success || !settings.success) {
    const issues = [timeouts, secrets, settings].flatMap(({ issues }) => issues ?? []);
    return failed(issues.map(({ message }) => message));
  }

  const { ORIGINS: origins, PRIVATE: privateModules, SUMDBS: databases, VERIFY } = settings.output;
  const cacheHost = settings.output.CACHE_HOST || undefined;
  const addresses = [...origins, ...databases.flatMap((database) => database.origins)];
  const own = addresses.find((origin) => cacheHost !== undefined && isOwnHost(origin, cacheHost));
  if (own) {
    const text = `Cannot use ${JSON.stringify(own.url)}: CACHE_HOST says that this is modferry's own host, which would ask itself`;
    return failed([text]);
  }
  const allPrivate = [
    ...privateModules,
    ...origins.filter(isPrivateOrigin).flatMap(({ modules }) => modules ?? []),
  ];
  const told = origins.filter(
    ({ modules, probe }) => !modules && probe && matches(allPrivate, probe.module),
  );
  if (told.length > 0) return failed(told.map(toldByProbe));
  return success({
    origins,
    databases: databases.map((database) => withCarriers(database, origins)),
    privateModules: allPrivate,
    access: settings.output.ACCESS,
    tokens: settings.output.TOKENS,
    allow: settings.output.ALLOW,
    deny: settings.output.DENY,
    minimumAge: {
      ms: settings.output.MIN_AGE,
      mode: settings.output.MIN_AGE_MODE,
      exempt: settings.output.MIN_AGE_EXEMPT,
    },
    verify: VERIFY,
    isPaidPlan: VERIFY === 'all',
    totalLimitMs: timeouts.output.totalLimitMs,
    staleMaxMs: settings.output.STALE_MAX,
    stallLimitMs: timeouts.output.limits.stallMs,
    cacheHost,
    externalCalls: VERIFY === 'all' ? PAID_CALLS : FREE_CALLS,
    logClientAddress: settings.output.LOG_CLIENT_ADDRESS === 'on',
    warnings: warningsOf(settings.output),
  });
}

const Timeouts = v.pipe(
  v.object({
    TIMEOUT_HEADERS: timeout('TIMEOUT_HEADERS', DEFAULTS.TIMEOUT_HEADERS),
    TIMEOUT_STALL: timeout('TIMEOUT_STALL', DEFAULTS.TIMEOUT_STALL),
    TIMEOUT_TOTAL: timeout('TIMEOUT_TOTAL', DEFAULTS.TIMEOUT_TOTAL),
  }),
  v.transform(({ TIMEOUT_HEADERS, TIMEOUT_STALL, TIMEOUT_TOTAL }) => ({
    limits: { headersMs: TIMEOUT_HEADERS, stallMs: TIMEOUT_STALL },
    totalLimitMs: TIMEOUT_TOTAL,
  })),
);

/** The secrets that ORIGINS names: variables as well, whose names the operator chooses. */
function secretsSchema(origins: unknown) {
  return v.object(Object.fromEntries(secretNames(origins).map((name) => [name, text(name)])));
}

/** Problems are reported in the order of these entries. */
function settingsSchema(options: OriginsOptions) {
  return v.object({
    ORIGINS: v.pipe(
      text('ORIGINS', DEFAULTS.ORIGINS),
      parsedBy((written) => parseOrigins(written, options)),
    ),
    SUMDBS: v.pipe(
      text('SUMDBS', DEFAULTS.SUMDBS),
      parsedBy((written) => parseDatabases(written, options)),
    ),
    PRIVATE: patterns('PRIVATE'),
    VERIFY: choice('VERIFY', ['off', 'mod', 'all'], DEFAULTS.VERIFY),
    ACCESS: choice('ACCESS', ['public', 'private'], DEFAULTS.ACCESS),
    ALLOW: rules('ALLOW'),
    DENY: rules('DENY'),
    MIN_AGE: minimumAge('MIN_AGE', DEFAULTS.MIN_AGE),
    MIN_AGE_MODE: choice('MIN_AGE_MODE', ['enforce', 'discover'], DEFAULTS.MIN_AGE_MODE),
    MIN_AGE_EXEMPT: patterns('MIN_AGE_EXEMPT'),
    STALE_MAX: maximumAge('STALE_MAX', DEFAULTS.STALE_MAX),
    CACHE_HOST: hostName('CACHE_HOST', DEFAULTS.CACHE_HOST),
    LOG_CLIENT_ADDRESS: choice('LOG_CLIENT_ADDRESS', ['off', 'on'], DEFAULTS.LOG_CLIENT_ADDRESS),
    TOKENS: v.pipe(text('TOKENS'), parsedBy(parseTokens)),
  });
}

/**
 * The external calls that the platform allows
 * (https://developers.cloudflare.com/workers/platform/limits).
 */
const FREE_CALLS = 50;
const PAID_CALLS = 10_000;

type Settings = v.InferOutput<ReturnType<typeof settingsSchema>>;

function rules(name: 'ALLOW' | 'DENY') {
  return v.pipe(
    text(name, DEFAULTS[name]),
    parsedBy((written) => parseRules(name, written)),
  );
}

function toldByProbe({ name, probe }: Origin): string {
  return `Cannot use the probe ${JSON.stringify(probe?.module)} of ${name}: the module is private, and this origin has no "modules" that cover it`;
}

/** A variable that is a list of globs, empty by default. */
function patterns(name: string) {
  return v.pipe(
    text(name),
    parsedBy((globs) => {
      const parsed = parsePatterns(globs);
      if (parsed.ok) return parsed;
      return failed(parsed.reason.map((problem) => `Cannot parse ${name}: ${problem}`));
    }),
  );
}

function warningsOf({
  ACCESS,
  MIN_AGE,
  ORIGINS,
  PRIVATE,
  SUMDBS,
  TOKENS,
  VERIFY,
}: Settings): readonly string[] {
  const warnings: string[] = [];
  if (VERIFY !== 'off' && SUMDBS.length === 0) {
    warnings.push(`VERIFY=${VERIFY} compares nothing: SUMDBS names no checksum database`);
  }
  if (MIN_AGE !== undefined && SUMDBS.length === 0) {
    warnings.push(
      'MIN_AGE refuses every version that is not exempt: SUMDBS names no checksum database, which would say how old it is',
    );
  }
  const addresses = SUMDBS.flatMap(({ origins }) => origins);
  for (const { authorization, modules, name } of ORIGINS) {
    if (authorization && !modules && ACCESS === 'public') {
      warnings.push(
        `${name} asks modferry for credentials, and what it gives is served to everybody who asks modferry: name its modules, or set ACCESS=private`,
      );
    }
  }
  const hasPrivate = PRIVATE.length > 0 || ORIGINS.some(isPrivateOrigin);
  if (TOKENS.length === 0 && (ACCESS === 'private' || hasPrivate)) {
    const what = ACCESS === 'private' ? 'anything' : 'a private module';
    warnings.push(
      `TOKENS names no token: nobody reads ${what}, unless a token was made by the API before`,
    );
  }
  return [...warnings, ...ipWarnings('ORIGINS', ORIGINS), ...ipWarnings('SUMDBS', addresses)];
}

function ipWarnings(variable: string, origins: readonly Origin[]): readonly string[] {
  const all = new Set(origins.flatMap((origin) => ipAddressOf(origin) ?? []));
  return [...all].map(
    (address) =>
      `${variable} names ${address}, and Cloudflare fetches no IP address (error 1003): give it a name in DNS`,
  );
}
