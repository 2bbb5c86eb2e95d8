import type { ExecutionContext } from '@cloudflare/workers-types';
import { systemClock } from './clock.ts';
import { parseConfig } from './config.ts';
import { probe } from './cron/probe.ts';
import { createApp } from './http/app.ts';
import type { Services } from './http/exchange.ts';
import { respondFailure } from './http/respond.ts';
import { backgroundOf } from './platform/background.ts';
import { openPipe } from './platform/pipe.ts';
import { regionOf } from './platform/region.ts';
import { type Bindings, tiersOf } from './platform/tiers.ts';
import { SetAside } from './origins/set-aside.ts';
import { openBudgets } from './store/budget.ts';
import { Flights } from './store/flights.ts';
import { openLogs } from './sumdb/log-memory.ts';
import { logNote, logTrouble, writeLine } from './telemetry/log.ts';
import type { Variables } from './variable-reader.ts';

type Env = Bindings & Variables;
type Isolate = { readonly services: Services; readonly app: ReturnType<typeof createApp> };

/** What outlives a request. The runtime gives one environment to an isolate. */
const isolates = new WeakMap<Env, Isolate>();

function isolateOf(env: Env): Isolate {
  const known = isolates.get(env);
  if (known) return known;
  const parsed = parseConfig(env);
  if (parsed.kind === 'invalid') throw new Error(`Invalid configuration: ${parsed.problems.join('; ')}`);
  const services: Services = {
    config: parsed.config,
    tiers: tiersOf(env, systemClock),
    flights: new Flights(systemClock),
    budgets: openBudgets(systemClock),
    setAside: new SetAside(systemClock),
    logs: openLogs(parsed.config.databases),
    clock: systemClock,
    fetch: (url, init) => fetch(url, init),
    random: Math.random,
    openPipe,
    writeLog: writeLine,
  };
  const isolate = { services, app: createApp(services) };
  isolates.set(env, isolate);
  for (const warning of parsed.config.warnings) logNote(writeLine, warning);
  return isolate;
}

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const incoming = { region: regionOf(request), background: backgroundOf(context) };
    let isolate: Isolate;
    try {
      isolate = isolateOf(env);
    } catch (error) {
      logTrouble(writeLine, 'start', error);
      const text = 'modferry is not configured correctly: its log lists the problems';
      return respondFailure(500, text, { requestId: crypto.randomUUID() });
    }
    return isolate.app.fetch(request, { incoming });
  },

  async scheduled(_controller: unknown, env: Env): Promise<void> {
    await probe(isolateOf(env).services);
  },
};
