/**
 * Milliseconds that a fill may still take when its client has gone. The platform lets work go on
 * for 30 s then, and half of that allows for a pace that drops, and for the proof of the stored
 * copy.
 */
const LONGEST_REST = 15_000;

export interface Progress {
  /** Length of the body in bytes, where it is declared. */
  readonly declared: number | undefined;
  /** Bytes of it that are here. */
  readonly size: number;
  /** Bytes that came in the last `ms` milliseconds. */
  readonly came: number;
  readonly ms: number;
}

/**
 * Whether the rest of a body comes soon, at the pace so far. Of a body of unknown length or pace
 * nobody knows.
 */
export function isNearlyComplete({ came, declared, ms, size }: Progress): boolean {
  if (declared === undefined || came === 0) return false;
  return (declared - size) * ms <= came * LONGEST_REST;
}
