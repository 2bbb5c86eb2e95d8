import type { Counts } from '../operations.ts';

/** Answers with every invocation since the start, as JSON. */
export const INVOCATIONS_PATH = '/-/platform/invocations';
/** Takes the faults to switch, as JSON. */
export const FAULTS_PATH = '/-/platform/faults';

/** What an invocation has called until now. */
export interface SeenInvocation {
  readonly method: string;
  readonly path: string;
  readonly counts: Counts;
  /** The number of calls beyond a limit. */
  readonly refused: number;
}
