import { readCredentials } from './credentials.ts';
import type { Scope } from './scope.ts';
import { hashToken, type Token } from './token.ts';

/** Who sends a request. */
export type Caller =
  | { readonly kind: 'anonymous' }
  | Holder
  /** Whoever sent credentials that do not count. `why` is a sentence for them. */
  | { readonly kind: 'rejected'; readonly why: string }
  /** Credentials came over plain http, and were not looked at. */
  | { readonly kind: 'insecure' }
  /** The tokens could not be read. */
  | { readonly kind: 'unknown' };

/** The holder of a token. */
export interface Holder extends Pick<Token, 'name' | 'modules'> {
  readonly kind: 'holder';
  readonly scope: Scope;
}

/** The tokens that count. */
export interface KnownTokens {
  /** The token with this hash; `unknown` where it cannot be looked up now. */
  find(hash: Uint8Array): Promise<Token | 'unknown' | undefined>;
}

interface Request {
  readonly url: string;
  readonly authorization: string | undefined;
}

/** Tells who sends a request. `now` is in milliseconds since the epoch. */
export async function identify(
  { url, authorization }: Request,
  tokens: KnownTokens,
  now: number,
): Promise<Caller> {
  const credentials = readCredentials(authorization);
  if (credentials.kind === 'none') return { kind: 'anonymous' };
  if (!isConfidential(new URL(url))) return { kind: 'insecure' };
  if (credentials.kind === 'unreadable') return { kind: 'rejected', why: credentials.why };
  const token = await tokens.find(hashToken(credentials.token));
  if (token === 'unknown') return { kind: 'unknown' };
  if (!token) return { kind: 'rejected', why: 'this token is unknown here, or was revoked' };
  const { expiresAt = Infinity, modules, name, scope } = token;
  if (now >= expiresAt) {
    const day = new Date(expiresAt).toISOString();
    return { kind: 'rejected', why: `the token ${JSON.stringify(name)} expired at ${day}` };
  }
  return { kind: 'holder', name, scope, modules };
}

/**
 * Whether nobody between client and modferry reads along: over https, and to this very machine. What
 * a header such as X-Forwarded-Proto says does not count, as any client can send it.
 */
export function isConfidential({ hostname, protocol }: URL): boolean {
  const isLoopback =
    hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
  return protocol === 'https:' || isLoopback;
}
