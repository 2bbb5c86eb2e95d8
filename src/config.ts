import { parsePatterns, type Patterns } from './access/patterns.ts';
import { parseDuration } from './duration.ts';
import type { Origin } from './origins/origin.ts';
import { parseOrigins } from './origins/parse-origins.ts';
import { type Database, parseDatabases } from './sumdb/parse-databases.ts';

/** The whole configuration, complete and valid: nothing else reads a variable. */
export interface Config {
  readonly origins: readonly Origin[];
  readonly databases: readonly Database[];
  /** Modules that are never asked of a public origin or of a checksum database. */
  readonly privateModules: Patterns;
  /** Milliseconds until the first byte of an answer, over all origins. */
  readonly deadline: number;
  readonly logClientAddress: boolean;
  /** What is accepted and yet not done by this version: sentences to show at the start. */
  readonly warnings: readonly string[];
}

export type ParsedConfig =
  | { readonly kind: 'valid'; readonly config: Config }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/** Variables as the runtime gives them; bindings of other types are not looked at. */
export type Variables = Readonly<Record<string, unknown>>;

/**
 * Every default. The three public proxies are mirrors of one another, so any failure of one moves on to the next (`|`),
 * and each is run by somebody else in another network.
 */
export const DEFAULTS = {
  ORIGINS: 'https://proxy.golang.org|https://goproxy.cn|https://goproxy.io',
  SUMDBS: 'sum.golang.org',
  VERIFY: 'off',
  PRIVATE: '',
  ACCESS: 'public',
  TIMEOUT_HEADERS: '10s',
  TIMEOUT_STALL: '20s',
  TIMEOUT_TOTAL: '25s',
  LOG_CLIENT_ADDRESS: 'off',
} as const;

/** Policies that this version does not have. To run without one that was asked for would be to lie. */
const NOT_YET = ['ALLOW', 'DENY', 'MIN_AGE'] as const;

/** The name of every variable that is read, but for the secrets that an origin's `auth` names. */
export const VARIABLE_NAMES: readonly string[] = [...Object.keys(DEFAULTS), 'TOKENS', ...NOT_YET];

/**
 * Reads the configuration. An empty variable means its default. Reports every problem at once, each with the variable,
 * the value and the remedy, and fails closed: a protection that was asked for and cannot be given is a problem too.
 */
export function parseConfig(variables: Variables): ParsedConfig {
  const problems: string[] = [];

  function text(name: string): string {
    const value = variables[name];
    return typeof value === 'string' ? value.trim() : '';
  }
  function withDefault(name: keyof typeof DEFAULTS): string {
    return text(name) || DEFAULTS[name];
  }
  function oneOf<T extends string>(name: keyof typeof DEFAULTS, ...values: readonly T[]): T | undefined {
    const value = withDefault(name);
    const found = values.find((candidate) => candidate === value);
    if (!found)
      problems.push(`Cannot use ${name} ${JSON.stringify(value)}: it is one of ${values.join(', ')}`);
    return found;
  }
  function duration(name: keyof typeof DEFAULTS): number {
    const value = withDefault(name);
    const ms = parseDuration(value);
    if (!ms)
      problems.push(
        `Cannot use ${name} ${JSON.stringify(value)}: write a duration above zero, such as "10s"`,
      );
    return ms ?? 0;
  }

  const limits = { headers: duration('TIMEOUT_HEADERS'), stall: duration('TIMEOUT_STALL') };
  const origins = parseOrigins(withDefault('ORIGINS'), { limits, secret: text, problems });
  const databases = parseDatabases(withDefault('SUMDBS'), { limits, problems });
  const patterns = parsePatterns(withDefault('PRIVATE'));
  if (patterns.kind === 'malformed') {
    problems.push(...patterns.problems.map((problem) => `Cannot parse PRIVATE: ${problem}`));
  }
  const verify = oneOf('VERIFY', 'off', 'mod', 'all');
  if (oneOf('ACCESS', 'public', 'private') === 'private') {
    problems.push(
      'Cannot use ACCESS "private": this version serves everybody, put an access control in front of it',
    );
  }
  for (const name of NOT_YET) {
    if (text(name))
      problems.push(`Cannot use ${name} ${JSON.stringify(text(name))}: this version has no such policy`);
  }
  const config = {
    deadline: duration('TIMEOUT_TOTAL'),
    logClientAddress: oneOf('LOG_CLIENT_ADDRESS', 'off', 'on') === 'on',
  };
  if (problems.length > 0 || patterns.kind === 'malformed') return { kind: 'invalid', problems };
  return {
    kind: 'valid',
    config: {
      ...config,
      origins,
      databases,
      privateModules: patterns.patterns,
      warnings: warnings(verify, text('TOKENS')),
    },
  };
}

/** What does no harm to run without, as the go command checks every file itself and nothing private is served. */
function warnings(verify: string | undefined, tokens: string): readonly string[] {
  return [
    ...(verify === 'off'
      ? []
      : [
          `VERIFY=${verify} is not in force: this version checks length and structure, and the go command the hashes`,
        ]),
    ...(tokens ? ['TOKENS is not in use: this version serves public modules only, to everybody'] : []),
  ];
}
