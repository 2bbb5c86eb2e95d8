import { type Breaker, CLOSED } from './breaker.ts';
import { type Latency, UNKNOWN } from './latency.ts';

/**
 * Which breaker of an origin a request concerns. Some networks let the first 16 KB of a connection
 * through and freeze the rest, so there are two: `reach` is about answers, `bulk` about long bodies
 * that stall or break off.
 */
export type Lane = 'reach' | 'bulk';

/** The state of one origin. It is shared as JSON: the names of its fields are part of a format. */
export interface Health {
  readonly reach: Breaker;
  readonly bulk: Breaker;
  /** Bytes after which the last bulk body broke: only a longer one shows that bulk works again. */
  readonly brokeAfter: number;
  /** Milliseconds until the headers of its answers. */
  readonly latency: Latency;
  /** Bytes a second of bodies that were long enough to measure, smoothed; 0 while unknown. */
  readonly rate: number;
}

export const UNKNOWN_HEALTH: Health = {
  reach: CLOSED,
  bulk: CLOSED,
  brokeAfter: 0,
  latency: UNKNOWN,
  rate: 0,
};

/** Most of a shorter body arrives together with its headers, so it shows no rate. */
export const MIN_RATE_BYTES = 32 * 1024;
