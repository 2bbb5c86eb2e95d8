/**
 * How long an origin takes, as a histogram that fades: each observation reduces the weight of all
 * earlier ones, so that about the last thirty count. A value, small enough to be shared between
 * isolates.
 */
export type Latency = readonly number[];

/** Buckets of 25 percent each, from 5 ms to 20 s. */
const FIRST_MS = 5;
const FACTOR = 1.25;
const BUCKETS = 38;

/** The share of its weight that an earlier observation keeps. */
const FADE = 0.97;

/** Smaller weights are dropped, which makes the shared text shorter. */
const NEGLIGIBLE = 0.02;

/** The weight from which on a percentile means something. */
const MIN_WEIGHT = 2.5;

export const UNKNOWN: Latency = [];

/** The histogram after another observation of `ms` milliseconds. */
export function observe(latency: Latency, ms: number): Latency {
  // Clocks may step back, so `ms` may be negative.
  const exact = Math.log(Math.max(ms, FIRST_MS) / FIRST_MS) / Math.log(FACTOR);
  const bucket = Math.min(Math.ceil(exact), BUCKETS - 1);
  const length = Math.max(latency.length, bucket + 1);
  return Array.from({ length }, (_, at) => {
    const weight = (latency[at] ?? 0) * FADE + (at === bucket ? 1 : 0);
    return weight < NEGLIGIBLE ? 0 : Math.round(weight * 1000) / 1000;
  });
}

/**
 * Milliseconds that a share of all observations (0.95: all but one in twenty) stayed below;
 * undefined while there are too few.
 */
export function percentile(latency: Latency, share: number): number | undefined {
  const weight = weightOf(latency);
  if (weight < MIN_WEIGHT) return undefined;
  let left = weight * share;
  for (const [bucket, count] of latency.entries()) {
    if (count > 0 && left <= count) {
      const upper = FIRST_MS * FACTOR ** bucket;
      const lower = bucket === 0 ? 0 : upper / FACTOR;
      return lower + (upper - lower) * (left / count);
    }
    left -= count;
  }
  return FIRST_MS * FACTOR ** (BUCKETS - 1);
}

/** How many recent observations it stands for. */
export function weightOf(latency: Latency): number {
  return latency.reduce((sum, count) => sum + count, 0);
}
