import type { H1 } from '../bytes/h1.ts';
import { failed, type Result, success } from '../effects/result.ts';
import { type Failure, type FailureReason, failureText, type Hashes } from '../origins/failure.ts';
import type { Checked } from '../store/contract.ts';

/** The expected hash of a file, according to the checksum databases. */
export type Expectation =
  /** The log of `database` has this `h1:` hash. */
  | { readonly kind: 'known'; readonly database: string; readonly hash: H1 }
  /** No database has a record of the version, or none may be asked about it. */
  | { readonly kind: 'uncovered' }
  /** At least one database failed, and no other one has a record. */
  | { readonly kind: 'unknown'; readonly failures: readonly Failure[] };

/** An expectation with a hash. */
export type KnownHash = Extract<Expectation, { kind: 'known' }>;

/** An expectation that allows a decision about a file. */
export type Comparable = Exclude<Expectation, { kind: 'unknown' }>;

/** The result of checking a stored copy. */
export type Verdict =
  | { readonly kind: 'checked'; readonly checked: Checked }
  | { readonly kind: 'wrong'; readonly hashes: Hashes }
  /** The check was not possible: a database failed. */
  | { readonly kind: 'unknown'; readonly failures: readonly Failure[] }
  /**
   * The copy has no proof. The file is fetched again, and this copy is served only if that fails.
   */
  | { readonly kind: 'unproven' };

/**
 * Compares the `h1:` hash of a file with the expected one. Succeeds with `uncovered` where none is
 * known.
 */
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
 * Turns `wrong content` into a mismatch where the log has a hash of the file: content that cannot
 * be the file is as wrong as content with another hash, and is reported in the same way. Any other
 * reason is returned unchanged.
 */
export function asMismatch(
  reason: FailureReason,
  expected: Expectation | undefined,
): FailureReason {
  if (reason.kind !== 'wrong content' || expected?.kind !== 'known') return reason;
  const { database, hash } = expected;
  return { kind: 'mismatch', hashes: { database, expected: hash, found: failureText(reason) } };
}
