import { failureText } from '../../origins/failure.ts';
import type { Expected } from '../../sumdb/checksums.ts';

/** What the checksum databases have of one file of a version. */
export type LoggedHash =
  | { readonly kind: 'hash'; readonly h1: string; readonly database: string }
  /** No hash, or they could not be consulted: then `why.unasked` is the reason. */
  | { readonly kind: 'none'; readonly why: { readonly unasked?: string } };

export function loggedHash(expected: Expected, file: 'zip' | 'mod'): LoggedHash {
  if (expected.kind === 'known')
    return { kind: 'hash', h1: expected[file], database: expected.database };
  if (expected.kind === 'uncovered') return { kind: 'none', why: {} };
  const [first] = expected.failures;
  const unasked = first ? `${first.origin}: ${failureText(first.reason)}` : 'no answer';
  return { kind: 'none', why: { unasked } };
}
