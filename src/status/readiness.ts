import { type Asked, everyAsked } from '../origins/upstreams.ts';
import { type Breaker, isUnwell, stateOf } from '../origins/health/breaker.ts';
import type { Pool } from '../origins/health/pool.ts';
import {
  lastResults,
  type ProbeHistory,
  type ProbeResult,
} from '../origins/probe/probe-history.ts';

/** What there is to know about whom modferry asks. */
export interface Standing {
  readonly asked: Parameters<typeof everyAsked>[0];
  readonly pool: Pool;
  readonly history: ProbeHistory;
  /** In milliseconds since the epoch. */
  readonly now: number;
}

/** A probe that is older, in milliseconds, says nothing of today: the next ones may not run. */
const PROBE_COUNTS = 3_600_000;

/**
 * Whether modferry can be sent requests, and a line for each origin and each address of a database.
 *
 * It can while one origin that serves every module may be asked, as far as is known; where nothing
 * is known it may. An origin whose breaker waits for a trial counts as one that may be asked:
 * whoever takes a modferry that is not ready out of service sends it no request to try with, and it
 * would never come back.
 */
export function readiness({ asked, history, now, pool }: Standing): {
  readonly isReady: boolean;
  readonly text: string;
} {
  const results = lastResults(history);
  const all = everyAsked(asked).map((one) => {
    const { reach } = pool.health(one.origin);
    const probe = results.get(one.id);
    return {
      asked: one,
      isDown: isDown(reach, probe, now),
      line: lineOf(one, { reach, probe, now }),
    };
  });
  const ofModules = all.filter(({ asked }) => asked.database === undefined);
  const ofEverything = ofModules.filter(({ asked }) => !asked.origin.modules);
  const counted = ofEverything.length > 0 ? ofEverything : ofModules;
  const isReady = counted.some(({ isDown }) => !isDown);
  const verdict = isReady ? 'ready' : 'not ready: no origin of modules can be reached';
  return { isReady, text: `${[verdict, ...all.map(({ line }) => line)].join('\n')}\n` };
}

/** The last that is known decides, be it the probe or a request. */
function isDown(reach: Breaker, probe: ProbeResult | undefined, now: number): boolean {
  const says = probe && now - probe.at < PROBE_COUNTS ? probe : undefined;
  if (says && says.at >= reach.at) return !says.small.isUp;
  return (
    stateOf(reach, now) === 'open' || (says !== undefined && !says.small.isUp && isUnwell(reach))
  );
}

function lineOf(
  { database, origin }: Asked,
  {
    reach,
    probe,
    now,
  }: { readonly reach: Breaker; readonly probe: ProbeResult | undefined; readonly now: number },
): string {
  const name = database === undefined ? origin.name : `${database} at ${origin.name}`;
  const probed = probe ? `${verdictsOf(probe)}, probed ${ageOf(now - probe.at)} ago` : 'not probed';
  return `${name}: ${probed}, breaker ${stateOf(reach, now)}`;
}

function verdictsOf({ small, large }: ProbeResult): string {
  const isOne = !large || large.verdict === small.verdict;
  return plain(isOne ? small.verdict : `${small.verdict}, large file ${large.verdict}`);
}

/** Without what could break the line. */
function plain(text: string): string {
  return text.replaceAll(/[\p{C}\p{Z}]+/gu, ' ').trim();
}

function ageOf(ms: number): string {
  const minutes = Math.max(Math.floor(ms / 60_000), 0);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}
