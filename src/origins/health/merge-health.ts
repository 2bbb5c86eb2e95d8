import type { Breaker } from './breaker.ts';
import type { Health } from './health.ts';
import { type Latency, weightOf } from './latency.ts';

/**
 * The health of an origin as two isolates saw it: of each breaker, and of latency and rate, what was
 * seen later.
 */
export function mergeHealth(ours: Health, theirs: Health): Health {
  const isLater = theirs.reach.at > ours.reach.at;
  return {
    reach: later(ours.reach, theirs.reach),
    bulk: later(ours.bulk, theirs.bulk),
    brokeAfter: theirs.bulk.at > ours.bulk.at ? theirs.brokeAfter : ours.brokeAfter,
    latency: isLater && isEnough(theirs.latency, ours.latency) ? theirs.latency : ours.latency,
    rate: isLater && theirs.rate > 0 ? theirs.rate : ours.rate,
  };
}

function later(a: Breaker, b: Breaker): Breaker {
  return b.at > a.at ? b : a;
}

/**
 * So many observations of another isolate replace our own; fewer do only where ours are fewer
 * still.
 */
const ENOUGH = 5;

function isEnough(theirs: Latency, ours: Latency): boolean {
  return weightOf(theirs) >= Math.min(weightOf(ours), ENOUGH);
}
