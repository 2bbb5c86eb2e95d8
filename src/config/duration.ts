const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

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
  const ms = parseMs(/^(\d{1,9})(ms|s|m)$/, text);
  return ms !== undefined && ms >= MIN_MS && ms <= MAX_MS ? ms : undefined;
}

const DAY_MS = 86_400_000;

/** Which ages count, and what they look like as the end of a sentence. */
export interface AgeBounds {
  readonly minMs: number;
  readonly maxMs: number;
  readonly form: string;
}

/** How old a last good copy may be. */
export const COPY_AGE: AgeBounds = {
  minMs: 60_000,
  maxMs: 36_500 * DAY_MS,
  form: 'a time from "1m" to "36500d", such as "12h" or "30d"',
};

/** How old a version has to be. After five years hardly any version would be left. */
export const VERSION_AGE: AgeBounds = {
  minMs: 1_000,
  maxMs: 1_825 * DAY_MS,
  form: 'a time from "1s" to "1825d", such as "36h" or "7d"',
};

/** Milliseconds of an age such as `12h` or `30d`, or undefined if `text` is none or out of bounds. */
export function parseAge(text: string, { maxMs, minMs }: AgeBounds): number | undefined {
  const ms = parseMs(/^(\d{1,9})(s|m|h|d)$/, text);
  return ms !== undefined && ms >= minMs && ms <= maxMs ? ms : undefined;
}

function parseMs(form: RegExp, text: string): number | undefined {
  const [, count, unit = ''] = form.exec(text) ?? [];
  const unitMs = UNIT_MS[unit];
  return unitMs === undefined ? undefined : Number(count) * unitMs;
}
