/**
 * How long an origin takes, as a histogram that fades: each observation takes some weight off all
 * earlier ones, so that about the last thirty count. A value, small enough to be shared between
 * isolates.
 */
export type Latency = readonly number[];

/** Buckets of 25 percent each, from 5 ms to 20 s. */
const FIRST = 5;
const FACTOR = 1.25;
const BUCKETS = 38;

/** What an observation leaves of the weight of all before it. */
const FADE = 0.97;

/** Weights below this count for nothing, and make what is shared shorter. */
const NEGLIGIBLE = 0.02;

/** From this weight on a percentile means something. */
const MIN_WEIGHT = 2.5;

export const UNKNOWN: Latency = [];

/** The histogram after another observation of `ms` milliseconds. */
export function observe(latency: Latency, ms: number): Latency {
  const exact = Math.log(Math.max(ms, FIRST) / FIRST) / Math.log(FACTOR); // clocks may step back
  const bucket = Math.min(Math.ceil(exact), BUCKETS - 1);
  const length = Math.max(latency.length, bucket + 1);
  return Array.from({ length }, (_, at) => {
    const weight = (latency[at] ?? 0) * FADE + (at === bucket ? 1 : 0);
    return weight < NEGLIGIBLE ? 0 : Math.round(weight * 1000) / 1000;
  });
}

/**
 * Milliseconds that a share of all observations (0.95: all but one in twenty) stayed below;
 * undefined while too few are known.
 */
export function percentile(latency: Latency, share: number): number | undefined {
  const weight = weightOf(latency);
  if (weight < MIN_WEIGHT) return undefined;
  let left = weight * share;
  for (const [bucket, count] of latency.entries()) {
    if (count > 0 && left <= count) {
      const upper = FIRST * FACTOR ** bucket;
      const lower = bucket === 0 ? 0 : upper / FACTOR;
      return lower + (upper - lower) * (left / count);
    }
    left -= count;
  }
  return FIRST * FACTOR ** (BUCKETS - 1);
}

/** How many recent observations it stands for. */
export function weightOf(latency: Latency): number {
  return latency.reduce((sum, count) => sum + count, 0);
}
