import { toPlainLine } from '../bytes/plain-text.ts';
import { type Breaker, type BreakerState, isSuspect, stateOf } from '../origins/health/breaker.ts';
import { lastResults, type ProbeResult } from '../origins/probe/probe-history.ts';
import type { Upstream } from '../origins/upstream.ts';
import type { OriginStatus } from './origin-status.ts';

/** Whether modferry can be sent requests, and the reasons. */
export interface Readiness {
  readonly isReady: boolean;
  readonly upstreams: readonly UpstreamReadiness[];
}

export interface UpstreamReadiness {
  readonly upstream: Upstream;
  readonly isDown: boolean;
  /** State of its breaker for answers. */
  readonly breaker: BreakerState;
  /** Its last probe, if there was one. */
  readonly probe: { readonly result: ProbeResult; readonly ageMs: number } | undefined;
}

/** An older probe does not count: the cron may have stopped. */
const MAX_PROBE_AGE_MS = 3_600_000;

/**
 * modferry is ready while one origin that serves every module may be asked, according to the last
 * probe or request; an origin without either may be asked. An origin whose breaker waits for a
 * trial counts as one that may be asked: a load balancer sends no requests to a modferry that is
 * not ready, so no trial would ever happen.
 */
export function readiness({ health, history, now, upstreams }: OriginStatus): Readiness {
  const results = lastResults(history);
  const all = upstreams.map((upstream): UpstreamReadiness => {
    const { reach } = health.of(upstream.origin);
    const result = results.get(upstream.id);
    return {
      upstream,
      isDown: isDown(reach, result, { now, hasPause: !health.isDown(upstream.origin) }),
      breaker: stateOf(reach, now),
      probe: result && { result, ageMs: now - result.at },
    };
  });
  const ofModules = all.filter(({ upstream }) => upstream.database === undefined);
  const ofEverything = ofModules.filter(({ upstream }) => !upstream.origin.modules);
  const counted = ofEverything.length > 0 ? ofEverything : ofModules;
  return { isReady: counted.some(({ isDown }) => !isDown), upstreams: all };
}

interface DownFacts {
  readonly now: number;
  /** Whether an open breaker is a pause that the origin asked for. */
  readonly hasPause: boolean;
}

/** The later one of probe and request decides. */
function isDown(
  reach: Breaker,
  probe: ProbeResult | undefined,
  { hasPause, now }: DownFacts,
): boolean {
  const recent = probe && now - probe.at < MAX_PROBE_AGE_MS ? probe : undefined;
  if (recent && recent.at >= reach.at) return !recent.small.isUp;
  const hasFailedProbe = recent !== undefined && !recent.small.isUp;
  return (stateOf(reach, now) === 'open' && !hasPause) || (hasFailedProbe && isSuspect(reach));
}

/** A line with the verdict, and one for each upstream. */
export function readinessText({ isReady, upstreams }: Readiness): string {
  const verdict = isReady ? 'ready' : 'not ready: no origin of modules can be reached';
  return `${[verdict, ...upstreams.map(lineOf)].join('\n')}\n`;
}

function lineOf({ breaker, probe, upstream }: UpstreamReadiness): string {
  const { database, origin } = upstream;
  const name = database === undefined ? origin.name : `${database} at ${origin.name}`;
  const probed = probe
    ? `${verdictsOf(probe.result)}, probed ${ageText(probe.ageMs)} ago`
    : 'not probed';
  return `${name}: ${probed}, breaker ${breaker}`;
}

function verdictsOf({ small, large }: ProbeResult): string {
  const isOne = !large || large.verdict === small.verdict;
  return toPlainLine(isOne ? small.verdict : `${small.verdict}, large file ${large.verdict}`);
}

function ageText(ms: number): string {
  const minutes = Math.max(Math.floor(ms / 60_000), 0);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}
