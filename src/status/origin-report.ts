import { type Asked, everyAsked } from '../origins/upstreams.ts';
import { type Breaker, stateOf } from '../origins/health/breaker.ts';
import { usualTime } from '../origins/health/hedge.ts';
import { percentile } from '../origins/health/latency.ts';
import type { Pool } from '../origins/health/pool.ts';
import type { FileVerdict, ProbeHistory, ProbeResult } from '../origins/probe/probe-history.ts';
import type { Standing } from './readiness.ts';

/**
 * What is known of all origins, as JSON for whoever asks, the status page among them.
 *
 * Everybody may ask. So there is no address in it, which may hold a token, no pattern of modules,
 * which are the names of somebody's own, and no text that quotes what a request was about.
 */
export function originReport({ asked, history, now, pool }: Standing): object {
  const probes = resultsById(history);
  return {
    origins: everyAsked(asked).map((one) =>
      describe(one, { pool, probes: probes.get(one.id) ?? [], now }),
    ),
    hedging: { budgetLeft: pool.budget.left },
    at: time(now),
  };
}

function describe(
  { database, origin }: Asked,
  {
    pool,
    probes,
    now,
  }: { readonly pool: Pool; readonly probes: readonly ProbeResult[]; readonly now: number },
): object {
  const { bulk, latency, rate, reach } = pool.health(origin);
  const { lastFailure, ...counters } = pool.counters(origin);
  const last = probes.at(-1);
  return {
    name: origin.name,
    kind: database === undefined ? 'modules' : 'checksums',
    ...(database === undefined ? {} : { database }),
    regions: origin.regions,
    ...(origin.modules ? { only: true } : {}),
    breakers: { reach: breakerOf(reach, now), bulk: breakerOf(bulk, now) },
    latency: { p50: rounded(percentile(latency, 0.5)), p95: rounded(percentile(latency, 0.95)) },
    usual: Math.round(usualTime(latency)),
    rate: rate === 0 ? undefined : Math.round(rate),
    counters,
    ...(lastFailure
      ? { lastFailure: { text: publicText(lastFailure.text), at: time(lastFailure.at) } }
      : {}),
    ...(last ? { probe: probeOf(last) } : {}),
    history: probes.map(probeOf),
  };
}

function breakerOf(breaker: Breaker, now: number): object {
  const { failures, until } = breaker;
  return { state: stateOf(breaker, now), failures, ...(until > 0 ? { until: time(until) } : {}) };
}

function probeOf({ at, small, large }: ProbeResult): object {
  return { at: time(at), small: fileOf(small), ...(large ? { large: fileOf(large) } : {}) };
}

function fileOf({ isUp, verdict, headersAfter, bytes, rate }: FileVerdict): object {
  return { isUp, verdict, headersAfter, bytes, rate };
}

/**
 * Failures in words that modferry chose itself, and that say nothing of the file that was asked
 * for.
 */
const HARMLESS =
  /^(connection failed|status \d{3}|no answer within [\d.]+ s|body of (more than )?\d+ bytes( where \d+ were declared)?|more than \d+ redirects|a redirect .*|a page|an HTML page|another file than the known one|a body that is (no zip|not UTF-8|not JSON))$/;

function publicText(text: string): string {
  return HARMLESS.test(text) ? text : 'a wrong answer: the log says which';
}

function resultsById(history: ProbeHistory): ReadonlyMap<string, ProbeResult[]> {
  const results = new Map<string, ProbeResult[]>();
  for (const result of history.flatMap(({ results }) => results)) {
    const known = results.get(result.id);
    if (known) known.push(result);
    else results.set(result.id, [result]);
  }
  return results;
}

function rounded(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.round(value);
}

/** ISO 8601. */
function time(ms: number): string {
  return new Date(ms).toISOString();
}
