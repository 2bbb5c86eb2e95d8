import type { Outcome, Source } from '../mirror/outcome.ts';
import type { Region } from '../origins/race/order.ts';

/**
 * One request, as the log and (later) the metrics see it. No secret and no query string is in here.
 */
export interface RequestEvent {
  readonly requestId: string;
  readonly method: string;
  /** `list`, `info`, `lookup`, `malformed`, `health`, … */
  readonly kind: string;
  readonly module?: string;
  readonly version?: string;
  /** The path of a tile. */
  readonly path?: string;
  readonly status: number;
  readonly source: Source;
  /** Length of the answer's body as declared; absent where it was not known beforehand. */
  readonly bytes?: number;
  /** Milliseconds until the answer's headers were ready. */
  readonly ms: number;
  readonly region: Region;
  /** Only where the operator switched it on. */
  readonly client?: string;
  /** Why there is no file. */
  readonly text?: string;
}

/** What a request was about, for the log. */
export interface Subject {
  readonly kind: string;
  readonly module?: string;
  readonly version?: string;
  /** The path of a tile. */
  readonly path?: string;
}

/** Why an outcome is no file; undefined when it is one. */
export function textOf(outcome: Outcome): string | undefined {
  return outcome.kind === 'found' ? undefined : outcome.text;
}
