import type { Expected } from '../../mirror/verification.ts';

/** What the checksum databases say of one file of a version. */
export type LogWord =
  | { readonly kind: 'hash'; readonly h1: string; readonly database: string }
  /** They have none, or could not be consulted: `why.unasked` says why. */
  | { readonly kind: 'none'; readonly why: { readonly unasked?: string } };

export function logWord(expected: Expected, file: 'zip' | 'mod'): LogWord {
  if (expected.kind === 'known')
    return { kind: 'hash', h1: expected[file], database: expected.database };
  if (expected.kind === 'uncovered') return { kind: 'none', why: {} };
  const [first] = expected.failures;
  return { kind: 'none', why: { unasked: first ? `${first.origin}: ${first.text}` : 'no answer' } };
}
