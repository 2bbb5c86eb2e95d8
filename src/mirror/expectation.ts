import type { H1 } from '../bytes/h1.ts';
import { failed, type Result, success } from '../effects/result.ts';
import { type Failure, type FailureReason, failureText, type Hashes } from '../origins/failure.ts';
import type { Checked } from '../store/contract.ts';

/** What a file must be, as far as a checksum database tells. */
export type Expectation =
  /** Its `h1:` hash, in the log of `database`. */
  | { readonly kind: 'known'; readonly database: string; readonly hash: string }
  /** Every database was asked and has no record of it, or none may be asked. */
  | { readonly kind: 'uncovered' }
  /** Some database could not be asked, and no other one has it. */
  | { readonly kind: 'unknown'; readonly failures: readonly Failure[] };

/** An expectation with a hash. */
export type KnownHash = Extract<Expectation, { kind: 'known' }>;

/** An expectation that a file can be compared with. */
export type Comparable = Exclude<Expectation, { kind: 'unknown' }>;

/** What is known of a stored copy that was never checked. */
export type Verdict =
  | { readonly kind: 'checked'; readonly checked: Checked }
  | { readonly kind: 'wrong'; readonly hashes: Hashes }
  /** No database could be asked. */
  | { readonly kind: 'unknown'; readonly failures: readonly Failure[] }
  /**
   * Nothing shows that it is right: the file is fetched anew, and this copy served only if that
   * fails.
   */
  | { readonly kind: 'unproven' };

/** Compares the `h1:` hash of a file with what is expected of it. */
export function compareHash(
  expected: Comparable,
  found: H1,
): Result<Checked, Extract<FailureReason, { kind: 'mismatch' }>> {
  if (expected.kind === 'uncovered') return success('uncovered');
  const { database, hash } = expected;
  if (found === hash) return success(found);
  return failed({ kind: 'mismatch', hashes: { database, expected: hash, found } });
}

/**
 * Content that cannot be the file is a mismatch where the log has a hash of the file: as wrong as a
 * file with another hash, so that the next origin is asked. A reason that says nothing of the
 * content stays what it is.
 */
export function asMismatch(
  reason: FailureReason,
  expected: Expectation | undefined,
): FailureReason {
  if (reason.kind !== 'wrong content' || expected?.kind !== 'known') return reason;
  const { database, hash } = expected;
  return { kind: 'mismatch', hashes: { database, expected: hash, found: failureText(reason) } };
}
