import type { Caller } from './caller.ts';
import { includes, type Scope } from './scope.ts';

/**
 * What a resource asks of its caller: nothing; whatever ACCESS asks for public modules; or a scope.
 */
export type Need = 'nothing' | 'public' | Scope;

/** Who reads public modules: everybody, or holders of a token alone. */
export type AccessMode = 'public' | 'private';

/** Why a caller is turned away. Neither says whether anything exists. */
export type Refusal =
  /** 401: credentials are missing or do not count. */
  | { readonly kind: 'unauthenticated'; readonly why: string }
  /** 403 */
  | { readonly kind: 'forbidden'; readonly why: string }
  /** 503: it cannot be told who this is. */
  | { readonly kind: 'unknown'; readonly why: string };

/** Why this caller may not have what needs `need`; undefined where it may. */
export function refusalOf(caller: Caller, need: Need, mode: AccessMode): Refusal | undefined {
  if (need === 'nothing') return undefined;
  switch (caller.kind) {
    case 'insecure':
      return { kind: 'forbidden', why: INSECURE };
    case 'rejected':
      return { kind: 'unauthenticated', why: caller.why };
    case 'unknown':
      return { kind: 'unknown', why: 'the tokens cannot be read just now: try again' };
    case 'anonymous':
      return scopeOf(need, mode) && { kind: 'unauthenticated', why: 'this needs a token' };
    case 'holder': {
      const scope = scopeOf(need, mode);
      if (scope === undefined || includes(caller.scope, scope)) return undefined;
      const why = `this needs a token with the scope ${scope}, and ${JSON.stringify(caller.name)} has ${caller.scope}`;
      return { kind: 'forbidden', why };
    }
  }
}

const INSECURE =
  'credentials came over plain http, where everybody between reads them: use https, and make a new token in place of this one';

/** Whether the answer is for holders of a token alone, so that no shared cache may keep it. */
export function needsToken(need: Need, mode: AccessMode): boolean {
  return scopeOf(need, mode) !== undefined;
}

/** The scope that is needed; undefined where no token is. */
function scopeOf(need: Need, mode: AccessMode): Scope | undefined {
  if (need === 'nothing') return undefined;
  if (need !== 'public') return need;
  return mode === 'private' ? 'read' : undefined;
}
