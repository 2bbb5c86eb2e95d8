import { sha256 } from '../bytes/sha256.ts';
import { failed, type Result, success } from '../effects/result.ts';
import type { Patterns } from '../module/patterns.ts';
import { type Scope, SCOPES } from './scope.ts';

/** A token without its text: modferry keeps only hashes. */
export interface Token {
  /** Names it in the log and in the API. */
  readonly name: string;
  readonly scope: Scope;
  /** The SHA-256 of its text. */
  readonly hash: Uint8Array;
  /** From when on it counts no more, in milliseconds since the epoch. Default: never. */
  readonly expiresAt?: number | undefined;
  /** The modules that it may publish. Default: every private one. */
  readonly modules?: Patterns | undefined;
}

/** The fewest characters of a token: as many as nobody finds by trying. */
export const MIN_TOKEN_LENGTH = 16;

/** What the name of a token looks like, as the end of a sentence. */
export const TOKEN_NAME_FORM = 'up to 64 letters, digits and . _ -';

export function isTokenName(text: string): boolean {
  return /^[\w.-]{1,64}$/.test(text);
}

/** The hash of a token's text. */
export function hashToken(text: string): Uint8Array {
  return sha256(new TextEncoder().encode(text));
}

/**
 * Whether two hashes are the same, in a time that does not depend on where they differ. A hash in
 * place of the token makes the lengths equal, and what a guess and a token have in common unknown.
 */
export function equalHashes(a: Uint8Array, b: Uint8Array): boolean {
  const difference = a.reduce((bits, byte, at) => bits | (byte ^ (b[at] ?? -1)), 0);
  return difference === 0 && a.length === b.length;
}

/** The token with this hash. Each is compared, so that the time says nothing about any of them. */
export function equalToken<T extends Token>(tokens: readonly T[], hash: Uint8Array): T | undefined {
  let found: T | undefined;
  for (const token of tokens) if (equalHashes(token.hash, hash)) found = token;
  return found;
}

/**
 * Parses TOKENS, entries `name:scope:token` with commas between them. Fails with every problem. No
 * problem shows a token.
 */
export function parseTokens(text: string): Result<readonly Token[], readonly string[]> {
  if (text === '') return success([]);
  const tokens: Token[] = [];
  const problems: string[] = [];
  for (const [index, entry] of text.split(',').entries()) {
    const token = parseToken(entry.trim(), tokens);
    if (token.ok) tokens.push(token.value);
    else problems.push(`Cannot parse TOKENS: entry ${index + 1} ${token.reason}`);
  }
  return problems.length > 0 ? failed(problems) : success(tokens);
}

/** A reason goes after the number of the entry. */
function parseToken(entry: string, earlier: readonly Token[]): Result<Token> {
  const [, name = '', word = '', text] = /^([^:]*):([^:]*):(.*)$/.exec(entry) ?? [];
  if (text === undefined) return failed('is not written as name:scope:token');
  if (!isTokenName(name)) return failed(`has no name of ${TOKEN_NAME_FORM}`);
  const scope = SCOPES.find((one) => one === word);
  // What stands in the wrong place may be the token, and is not shown.
  if (scope === undefined)
    return failed(`has no scope between its name and its token: ${SCOPES.join(', ')}`);
  const shown = JSON.stringify(name);
  if (!/^[!-~]*$/.test(text))
    return failed(`${shown} has a token with a space or a character outside of ASCII`);
  if (text.length < MIN_TOKEN_LENGTH) {
    return failed(
      `${shown} has a token of ${text.length} characters: write at least ${MIN_TOKEN_LENGTH}, such as from "openssl rand -hex 20"`,
    );
  }
  const hash = hashToken(text);
  if (earlier.some((other) => other.name === name))
    return failed(`${shown} has a name that another entry has: each token has its own`);
  if (earlier.some((other) => equalHashes(other.hash, hash)))
    return failed(`${shown} has the token of another entry: each name has its own`);
  return success({ name, scope, hash });
}
