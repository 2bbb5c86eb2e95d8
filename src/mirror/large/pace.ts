/**
 * How long the rest of a fill may be expected to take when its client disconnects. The platform
 * allows 30 s of work from then on. Half of that is a reserve for a lower pace and for the check of
 * the stored copy.
 */
const LONGEST_REST_MS = 15_000;

/** How far a body has been received, and how fast. */
export interface Progress {
  /** Length of the body in bytes, where it is declared. */
  readonly declared: number | undefined;
  /** Bytes received in all. */
  readonly size: number;
  /** Bytes received in the last `ms` milliseconds. */
  readonly received: number;
  readonly ms: number;
}

/**
 * Whether the rest of a body arrives within 15 s at the pace so far. False where the length or the
 * pace is unknown.
 */
export function isNearlyComplete({ received, declared, ms, size }: Progress): boolean {
  if (declared === undefined || received === 0) return false;
  return (declared - size) * ms <= received * LONGEST_REST_MS;
}
