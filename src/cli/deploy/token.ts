import * as v from 'valibot';
import { parseTokens } from '../../access/token.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import type { PlatformApi } from './api.ts';

const SECRET = 'TOKENS';
const Secrets = v.array(v.object({ name: v.string() }));

export interface TokenOptions {
  readonly account: string;
  readonly worker: string;
  /** TOKENS of the environment: stored as it is. */
  readonly given: string | undefined;
  /** Makes a token; undefined where nobody may read it, as in a public log. */
  readonly random: (() => string) | undefined;
}

/** What became of the secret. */
export type TokenOutcome =
  | { readonly kind: 'made'; readonly token: string }
  /** It existed, or TOKENS of the environment was stored. */
  | { readonly kind: 'kept' | 'given' }
  /** There is none, and none was made. */
  | { readonly kind: 'none' };

/**
 * Stores a token with the scope `admin` as the secret TOKENS, unless there is one. After the
 * upload, and in a step of its own: a token that was stored together with a deployment that then
 * failed would be known to nobody.
 */
export async function ensureToken(
  api: PlatformApi,
  { account, given, random, worker }: TokenOptions,
): Promise<Result<TokenOutcome>> {
  const path = `/accounts/${account}/workers/scripts/${worker}/secrets`;
  const put = (text: string) =>
    api.call({
      method: 'PUT',
      path,
      body: { name: SECRET, text, type: 'secret_text' },
      result: v.unknown(),
    });
  if (given !== undefined) {
    const stored = await put(given);
    return stored.ok ? success({ kind: 'given' }) : failed(notStored(stored.reason.text));
  }
  const secrets = await api.call({ path, result: Secrets });
  if (!secrets.ok) return failed(`Cannot list the secrets of ${worker}: ${secrets.reason.text}`);
  if (secrets.value.some(({ name }) => name === SECRET)) return success({ kind: 'kept' });
  if (!random) return success({ kind: 'none' });
  const token = random();
  const stored = await put(`admin:admin:${token}`);
  return stored.ok ? success({ kind: 'made', token }) : failed(notStored(stored.reason.text));
}

function notStored(text: string): string {
  return `Cannot store the secret TOKENS: ${text}`;
}

/** Whether a text may be TOKENS. A reason does not show it: it is a secret. */
export function checkTokens(text: string | undefined): Result<void> {
  const tokens = parseTokens(text ?? '');
  return tokens.ok ? success(undefined) : failed(tokens.reason.join('\n'));
}
