import { type Scope, SCOPES } from '../../src/access/scope.ts';

/** The token of this scope in TOKENS. */
export function tokenOf(scope: Scope): string {
  return `the-${scope}-token-0123456789`;
}

/** TOKENS with one token for each scope, of the name of the scope. */
export const TOKENS = SCOPES.map((scope) => `${scope}:${scope}:${tokenOf(scope)}`).join(',');

/** The headers of a request with the token of this scope. */
export function as(scope: Scope): { readonly Authorization: string } {
  return { Authorization: `Bearer ${tokenOf(scope)}` };
}
