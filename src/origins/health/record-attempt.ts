import type { FailureReason } from '../failure.ts';
import type { Origin } from '../origin.ts';
import type { Attempt } from '../request/attempt.ts';
import type { AttemptProgress } from '../request/attempt-progress.ts';
import { moduleAt } from './doubts.ts';
import type { Lane } from './health.ts';
import { hedgeDelayMs } from './hedge.ts';
import type { HealthRegistry } from './registry.ts';

export interface AttemptRecord {
  readonly origin: Origin;
  readonly result: Attempt<unknown>;
  readonly progress: AttemptProgress;
  readonly lane: Lane;
  /** Path of the file at the origin. */
  readonly path: string;
  /** See `Observation`. */
  readonly isKnownFile?: boolean | undefined;
}

/** Records in the registry what an attempt shows of its origin. */
export function recordAttempt(
  health: HealthRegistry,
  { isKnownFile, lane, origin, path, progress, result }: AttemptRecord,
): void {
  const { bodyMs, bytes, headersMs } = progress;
  const observation = { bodyMs, bytes, headersMs, isKnownFile, lane, path };
  if (result.kind === 'accepted') {
    health.recordSuccess(origin, observation);
    const counters = health.counters(origin);
    counters.given = withGiven(counters.given, path);
  }
  // An answer without a file shows nothing of long bodies.
  else if (result.kind === 'missing' || result.failure.reason.kind === 'not now')
    health.recordSuccess(origin, { ...observation, lane: 'reach' });
  else if (isOriginsFault(result.failure.reason, progress, maxWaitMs(health, origin)))
    health.recordFailure(origin, result.failure, observation);
}

/** The given files with one more: the last one of its module, and that of the module before. */
function withGiven(given: readonly string[], path: string): readonly string[] {
  const module = moduleAt(path);
  return [...given.filter((other) => moduleAt(other) !== module).slice(-1), path];
}

/** A shorter wait is not counted against an origin: then the time of the request was up. */
function maxWaitMs(health: HealthRegistry, origin: Origin): number {
  const { headersMs, stallMs } = origin.limits;
  return Math.min(hedgeDelayMs(health.of(origin).latency), headersMs, stallMs);
}

/**
 * What took too long or broke while modferry itself or a checksum database was at work is not the
 * origin's fault. The registry leaves out the failures that never are.
 */
function isOriginsFault(
  { kind }: FailureReason,
  progress: AttemptProgress,
  maxWaitMs: number,
): boolean {
  switch (kind) {
    case 'timeout':
      return progress.waitingMs >= maxWaitMs;
    case 'unreachable':
      return progress.waitingSince !== undefined;
    default:
      return true;
  }
}
