import { failed, success, type Result } from '../effects/result.ts';

/** What a text means, or every problem that it has. */
export type Parsed<T> = Result<T, readonly string[]>;

/** The problems of those that failed. */
export function problemsOf(parsed: readonly Parsed<unknown>[]): readonly string[] {
  return parsed.flatMap((one) => (one.ok ? [] : one.reason));
}

/** All values; where one failed, the problems of all. */
export function allOf<T>(parsed: readonly Parsed<T>[]): Parsed<readonly T[]> {
  const problems = problemsOf(parsed);
  if (problems.length > 0) return failed(problems);
  return success(parsed.flatMap((one) => (one.ok ? [one.value] : [])));
}
