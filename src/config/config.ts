import { parsePatterns, type Patterns } from '../module/patterns.ts';
import type { Origin } from '../origins/origin.ts';
import { parseOrigins } from './origins-syntax.ts';
import { type Database, parseDatabases } from './databases-syntax.ts';
import { VariableReader, type Variables } from './variables.ts';

/** The whole configuration, complete and valid: nothing else reads a variable. */
export interface Config {
  readonly origins: readonly Origin[];
  readonly databases: readonly Database[];
  /** Modules that are never asked of a public origin or of a checksum database. */
  readonly privateModules: Patterns;
  /** Those, and what an origin has to itself: modferry asks no checksum database about them. */
  readonly unlogged: Patterns;
  /**
   * What is compared with the checksum databases before it is kept: nothing, `.mod`, or `.mod` and
   * `.zip`.
   */
  readonly verify: 'off' | 'mod' | 'all';
  /** Milliseconds until the first byte of an answer, over all origins. */
  readonly totalLimit: number;
  readonly logClientAddress: boolean;
  /** What the operator should know: sentences to show at the start. */
  readonly warnings: readonly string[];
}

export type ParsedConfig =
  | { readonly kind: 'valid'; readonly config: Config }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/**
 * Every default. The three public proxies are mirrors of one another, so any failure of one moves
 * on to the next (`|`), and each is run by somebody else in another network.
 */
export const DEFAULTS = {
  ORIGINS: 'https://proxy.golang.org|https://goproxy.cn|https://goproxy.io',
  SUMDBS: 'sum.golang.org',
  VERIFY: 'all',
  PRIVATE: '',
  ACCESS: 'public',
  TIMEOUT_HEADERS: '10s',
  TIMEOUT_STALL: '20s',
  TIMEOUT_TOTAL: '25s',
  LOG_CLIENT_ADDRESS: 'off',
} as const;

/**
 * Policies that this version does not have. To run without one that was asked for would be to lie.
 */
const NOT_YET = ['ALLOW', 'DENY', 'MIN_AGE'] as const;

/** The name of every variable that is read, but for the secrets that an origin's `auth` names. */
export const VARIABLE_NAMES: readonly string[] = [...Object.keys(DEFAULTS), 'TOKENS', ...NOT_YET];

/**
 * Reads the configuration. An empty variable means its default. Reports every problem at once, each
 * with the variable, the value and the remedy, and fails closed: a protection that was asked for
 * and cannot be given is a problem too.
 */
export function parseConfig(variables: Variables): ParsedConfig {
  const reader = new VariableReader(variables, DEFAULTS);
  const { problems } = reader;

  const limits = {
    headers: reader.timeout('TIMEOUT_HEADERS'),
    stall: reader.timeout('TIMEOUT_STALL'),
  };
  const totalLimit = reader.timeout('TIMEOUT_TOTAL');
  const secret = (name: string) => reader.text(name);
  const origins = parseOrigins(reader.text('ORIGINS'), { limits, secret, problems });
  const databases = parseDatabases(reader.text('SUMDBS'), { limits, problems });
  const patterns = parsePatterns(reader.text('PRIVATE'));
  if (patterns.kind === 'malformed') {
    problems.push(...patterns.problems.map((problem) => `Cannot parse PRIVATE: ${problem}`));
  }
  const verify = reader.oneOf('VERIFY', 'off', 'mod', 'all') ?? 'all';
  if (reader.oneOf('ACCESS', 'public', 'private') === 'private') {
    problems.push(
      'Cannot use ACCESS "private": this version serves everybody, put an access control before it',
    );
  }
  for (const name of NOT_YET) {
    const value = reader.text(name);
    if (value)
      problems.push(`Cannot use ${name} ${JSON.stringify(value)}: this version has no such policy`);
  }
  const logClientAddress = reader.oneOf('LOG_CLIENT_ADDRESS', 'off', 'on') === 'on';
  const warnings = warningsOf({ verify, databases, tokens: reader.text('TOKENS'), origins });

  if (problems.length > 0 || patterns.kind === 'malformed') return { kind: 'invalid', problems };
  const privateModules = patterns.patterns;
  return {
    kind: 'valid',
    config: {
      origins,
      databases,
      privateModules,
      unlogged: [...privateModules, ...origins.flatMap(({ modules }) => modules ?? [])],
      verify,
      totalLimit,
      logClientAddress,
      warnings,
    },
  };
}

interface Warned {
  readonly verify: Config['verify'];
  readonly databases: readonly Database[];
  readonly tokens: string;
  readonly origins: readonly Origin[];
}

function warningsOf({ verify, databases, tokens, origins }: Warned): readonly string[] {
  const warnings: string[] = [];
  if (verify !== 'off' && databases.length === 0) {
    warnings.push(`VERIFY=${verify} compares nothing: SUMDBS names no checksum database`);
  }
  if (tokens) warnings.push('TOKENS is not in use: this version serves everybody who reaches it');
  for (const { name, authorization } of origins) {
    if (authorization) {
      warnings.push(
        `${name} asks modferry for credentials, and what it gives is served to everybody who asks modferry`,
      );
    }
  }
  return warnings;
}
