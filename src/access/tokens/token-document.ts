import * as v from 'valibot';
import { decodeHex } from '../../bytes/hex.ts';
import { failed, success } from '../../effects/result.ts';
import { isTime } from '../../goproxy/check-answer.ts';
import { parsePatterns, type Patterns } from '../../module/patterns.ts';
import type { OwnDocumentKind } from '../../store/own-document.ts';
import { SCOPES } from '../scope.ts';
import type { Token } from '../token.ts';

/** Unknown fields are kept: a document is never written back with less than it had. */
const Stored = v.looseObject({
  name: v.string(),
  scope: v.picklist(SCOPES),
  /** The SHA-256 of its text, as hex. */
  hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  /** A time as in RFC 3339. */
  expires: v.optional(
    v.pipe(
      v.string(),
      v.check((time) => isTime(time)),
    ),
  ),
  /** Globs as in GOPRIVATE. */
  modules: v.optional(v.string()),
  /** When it was made, as in RFC 3339. */
  made: v.string(),
  /** The day of its last use in UTC, such as 2026-01-31. */
  lastUsed: v.optional(v.string()),
});

const Schema = v.looseObject({ version: v.literal(1), tokens: v.array(Stored) });

/** A token that was made by the API, as it is stored: without its text. */
export type StoredToken = v.InferOutput<typeof Stored>;

/** The tokens that were made by the API. */
export type TokenDocument = v.InferOutput<typeof Schema>;

export const TOKEN_DOCUMENT: OwnDocumentKind<TokenDocument> = {
  name: 'tokens.json',
  empty: { version: 1, tokens: [] },
  parse(json) {
    const parsed = v.safeParse(Schema, json);
    return parsed.success
      ? success(parsed.output)
      : failed('It is damaged, or from a newer release of modferry');
  },
};

/** A stored token as it is compared. */
export function tokenOf({ expires, hash, modules, name, scope }: StoredToken): Token {
  return {
    name,
    scope,
    hash: decodeHex(hash),
    expiresAt: expires === undefined ? undefined : Date.parse(expires),
    modules: modules === undefined ? undefined : patternsOf(modules),
  };
}

/** Globs that cannot be parsed, as somebody wrote into the document, allow no module. */
function patternsOf(globs: string): Patterns {
  const patterns = parsePatterns(globs);
  return patterns.ok ? patterns.value : [];
}

/** The document with these days of last use; undefined where it has them all. */
export function withUses(
  document: TokenDocument,
  days: ReadonlyMap<string, string>,
): TokenDocument | undefined {
  let isChanged = false;
  const tokens = document.tokens.map((token) => {
    const day = days.get(token.name);
    if (day === undefined || !isLater(day, token)) return token;
    isChanged = true;
    return { ...token, lastUsed: day };
  });
  return isChanged ? { ...document, tokens } : undefined;
}

/** Whether a day, such as 2026-01-31, comes after the day of last use. */
export function isLater(day: string, { lastUsed = '' }: StoredToken): boolean {
  return day > lastUsed;
}
