/**
 * Milliseconds that a fill may still take when its client has left. The platform lets work go on
 * for 30 s then, and half of that allows for a pace that drops, and for the check of the stored
 * copy.
 */
const LONGEST_REST_MS = 15_000;

export interface Progress {
  /** Length of the body in bytes, where it is declared. */
  readonly declared: number | undefined;
  /** Bytes of it that were received in all. */
  readonly size: number;
  /** Bytes that were received in the last `ms` milliseconds. */
  readonly received: number;
  readonly ms: number;
}

/**
 * Whether the rest of a body comes soon, at the pace so far. Of an unknown length or pace nothing
 * is said to come soon.
 */
export function isNearlyComplete({ received, declared, ms, size }: Progress): boolean {
  if (declared === undefined || received === 0) return false;
  return (declared - size) * ms <= received * LONGEST_REST_MS;
}
