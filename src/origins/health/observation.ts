import type { Lane } from './health.ts';

/** What was measured of one request to an origin. */
export interface Observation {
  /** Until the headers had arrived; absent where they never did. */
  readonly headersMs?: number | undefined;
  /** Bytes of the body that arrived. */
  readonly bytes: number;
  /** How long the body took. */
  readonly bodyMs?: number | undefined;
  readonly lane: Lane;
  /** Path of the file at the origin. Default: unknown. */
  readonly path?: string | undefined;
  /**
   * Whether the origin is known to have the file, so that no failure concerns the file alone.
   *
   * @default false
   */
  readonly isKnownFile?: boolean | undefined;
}
