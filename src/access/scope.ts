/** What a token may do. Each scope may do what those before it may. */
export const SCOPES = ['read', 'private', 'publish', 'admin'] as const;

export type Scope = (typeof SCOPES)[number];

/** Whether whoever has the scope `held` may do what needs the scope `needed`. */
export function includes(held: Scope, needed: Scope): boolean {
  return SCOPES.indexOf(held) >= SCOPES.indexOf(needed);
}
