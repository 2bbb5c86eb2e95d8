import { systemClock as clock } from './effects/clock.ts';
import { parseConfig } from './config/config.ts';
import { createApp } from './http/app.ts';
import type { Services } from './http/exchange.ts';
import { everyAsked } from './origins/upstreams.ts';
import { Pool } from './origins/health/pool.ts';
import { ProbeLog } from './origins/probe/probe-log.ts';
import { SetAside } from './mirror/set-aside.ts';
import { HealthSharing } from './origins/health/share.ts';
import { openPipe } from './platform/cloudflare/pipe.ts';
import { sharedStatesOf } from './platform/cloudflare/shared-state.ts';
import { type Bindings, tiersOf } from './platform/cloudflare/tiers.ts';
import { openBudgets } from './mirror/budget.ts';
import { Flights } from './mirror/flights.ts';
import { openLogs } from './sumdb/log-memory.ts';
import { logNote, logTrouble, writeLine as writeLog } from './telemetry/log.ts';
import type { Variables } from './config/variables.ts';

export type Env = Bindings & Variables;

/** What outlives a request. */
export interface Isolate {
  readonly services: Services;
  readonly app: ReturnType<typeof createApp>;
}

/** The runtime gives one environment to an isolate. */
const isolates = new WeakMap<Env, Isolate>();

/** Trouble with what all requests share. */
const report = (label: string, error: unknown) => logTrouble(writeLog, label, error);

/**
 * Builds everything at the first call. Throws when the configuration is invalid, with all of its
 * problems.
 */
export function isolateOf(env: Env): Isolate {
  const known = isolates.get(env);
  if (known) return known;
  const parsed = parseConfig(env);
  if (!parsed.ok) throw new Error(`Invalid configuration: ${parsed.reason.join('; ')}`);
  const config = parsed.value;
  const pool = new Pool({ clock, random: Math.random });
  const shared = { states: sharedStatesOf(env, clock), clock, report };
  const services: Services = {
    config,
    tiers: tiersOf(env, clock),
    flights: new Flights(clock),
    budgets: openBudgets(clock),
    setAside: new SetAside(clock),
    pool,
    sharing: new HealthSharing({
      ...shared,
      pool,
      urls: everyAsked(config).map(({ origin }) => origin.url),
    }),
    probes: new ProbeLog(shared),
    logs: openLogs(config.databases),
    clock,
    fetch: (url, init) => fetch(url, init),
    random: Math.random,
    openPipe,
    writeLog,
  };
  const isolate = { services, app: createApp(services) };
  isolates.set(env, isolate);
  for (const warning of config.warnings) logNote(writeLog, warning);
  return isolate;
}
