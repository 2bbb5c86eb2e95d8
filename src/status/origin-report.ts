import { publicFailureText } from '../origins/failure.ts';
import { type Breaker, type BreakerState, stateOf } from '../origins/health/breaker.ts';
import { hedgeDelayMs } from '../origins/health/hedge.ts';
import { percentile } from '../origins/health/latency.ts';
import type { Counters } from '../origins/health/counters.ts';
import type { FileVerdict, ProbeHistory, ProbeResult } from '../origins/probe/probe-history.ts';
import type { Upstream } from '../origins/upstream.ts';
import type { OriginStatus } from './origin-status.ts';

/**
 * The report of `/-/api/origins`. Its field names are those of the JSON, and its times are ISO
 * 8601.
 *
 * Whoever has a token may read it. So it holds no address, which may contain a token, no pattern of modules,
 * which are private names, and no text that quotes a request or an answer.
 */
export interface OriginReport {
  readonly origins: readonly UpstreamReport[];
  readonly hedging: { readonly budgetLeft: number };
  readonly at: string;
}

export interface UpstreamReport {
  readonly name: string;
  readonly kind: 'modules' | 'checksums';
  readonly database?: string | undefined;
  readonly regions: readonly string[];
  /** It serves certain modules alone. */
  readonly only?: true | undefined;
  readonly breakers: { readonly reach: BreakerReport; readonly bulk: BreakerReport };
  /** Milliseconds until the headers. */
  readonly latency: { readonly p50: number | undefined; readonly p95: number | undefined };
  /** The hedge delay in milliseconds. */
  readonly usual: number;
  /** Bytes a second. */
  readonly rate?: number | undefined;
  /** Since this isolate started. */
  readonly counters: {
    readonly asked: number;
    readonly failed: number;
    readonly lost: number;
    readonly hedges: number;
    readonly resumed: number;
  };
  readonly lastFailure?: { readonly text: string; readonly at: string } | undefined;
  readonly probe?: ProbeReport | undefined;
  readonly history: readonly ProbeReport[];
}

export interface BreakerReport {
  readonly state: BreakerState;
  readonly failures: number;
  readonly until?: string | undefined;
}

export interface ProbeReport {
  readonly at: string;
  readonly small: FileVerdict;
  readonly large?: FileVerdict | undefined;
}

export function originReport({ health, history, now, upstreams }: OriginStatus): OriginReport {
  const probes = resultsById(history);
  return {
    origins: upstreams.map((upstream) => reportOn(upstream, probes, { health, now })),
    hedging: { budgetLeft: health.hedgeBudget.left },
    at: isoTime(now),
  };
}

function reportOn(
  { database, id, origin }: Upstream,
  probesById: ReadonlyMap<string, readonly ProbeResult[]>,
  { health, now }: Pick<OriginStatus, 'health' | 'now'>,
): UpstreamReport {
  const { bulk, latency, rate, reach } = health.of(origin);
  const counters = health.counters(origin);
  const history = (probesById.get(id) ?? []).map(probeReport);
  return {
    name: origin.name,
    kind: database === undefined ? 'modules' : 'checksums',
    database,
    regions: origin.regions,
    only: origin.modules ? true : undefined,
    breakers: { reach: breakerReport(reach, now), bulk: breakerReport(bulk, now) },
    latency: { p50: rounded(percentile(latency, 0.5)), p95: rounded(percentile(latency, 0.95)) },
    usual: Math.round(hedgeDelayMs(latency)),
    rate: rate === 0 ? undefined : Math.round(rate),
    counters: counterReport(counters),
    lastFailure: failureReport(counters),
    probe: history.at(-1),
    history,
  };
}

function counterReport(counters: Counters): UpstreamReport['counters'] {
  const { failures, hedges, overtaken, requests, resumed } = counters;
  return { asked: requests, failed: failures, lost: overtaken, hedges, resumed };
}

function failureReport({ lastFailure }: Counters): UpstreamReport['lastFailure'] {
  if (!lastFailure) return undefined;
  return { text: publicFailureText(lastFailure.reason), at: isoTime(lastFailure.at) };
}

function breakerReport(breaker: Breaker, now: number): BreakerReport {
  const { failures, until } = breaker;
  return {
    state: stateOf(breaker, now),
    failures,
    until: until > 0 ? isoTime(until) : undefined,
  };
}

function probeReport({ at, small, large }: ProbeResult): ProbeReport {
  return { at: isoTime(at), small, large };
}

function resultsById(history: ProbeHistory): ReadonlyMap<string, readonly ProbeResult[]> {
  return Map.groupBy(
    history.flatMap(({ results }) => results),
    ({ id }) => id,
  );
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
