const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/**
 * No answer over a network arrives within less, and more would be no limit: the go command itself
 * has no timeout.
 */
const MIN_MS = 50;
const MAX_MS = 600_000;

/** What a timeout looks like, as the end of a sentence. */
export const TIMEOUT_FORM = 'a time from "50ms" to "10m", such as "10s"';

/**
 * Milliseconds of a timeout such as `500ms`, `10s` or `5m`, or undefined if `text` is none or out
 * of bounds.
 */
export function parseTimeout(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,9})(ms|s|m)$/.exec(text) ?? [];
  const unitMs = unit === undefined ? undefined : UNIT_MS[unit];
  if (unitMs === undefined) return undefined;
  const ms = Number(count) * unitMs;
  return ms >= MIN_MS && ms <= MAX_MS ? ms : undefined;
}
