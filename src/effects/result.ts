/**
 * The result of an operation whose failure is an expected outcome: a parse, a check, a comparison.
 * Exceptions are for I/O and for bugs.
 */
export type Result<T, Reason = string> = Success<T> | Failed<Reason>;

export interface Success<T> {
  readonly ok: true;
  readonly value: T;
}

export interface Failed<Reason> {
  readonly ok: false;
  /** Why there is no value. A text completes a sentence that the caller begins. */
  readonly reason: Reason;
}

export function success<T>(value: T): Success<T> {
  return { ok: true, value };
}

export function failed<Reason>(reason: Reason): Failed<Reason> {
  return { ok: false, reason };
}
