import type { Context, MiddlewareHandler } from 'hono';
import type { Background } from '../effects/background.ts';
import type { Clock } from '../effects/clock.ts';
import type { Config } from '../config/config.ts';
import type { Carrier, Shared } from '../mirror/carrier.ts';
import { LOCAL, type Outcome } from '../mirror/outcome.ts';
import type { Verification } from '../mirror/verification.ts';
import { askOrigins } from '../origins/race/ask.ts';
import type { Region } from '../origins/race/order.ts';
import type { Pool } from '../origins/health/pool.ts';
import type { ProbeLog } from '../origins/probe/probe-log.ts';
import type { ResumeEvent } from '../origins/race/race-entry.ts';
import type { SetAside } from '../mirror/set-aside.ts';
import type { HealthSharing } from '../origins/health/share.ts';
import type { Budgets } from '../mirror/budget.ts';
import type { Flights } from '../mirror/flights.ts';
import { LayeredStore, type Tiers } from '../store/layered.ts';
import { createChecksums } from '../sumdb/checksums.ts';
import { LogClient } from '../sumdb/log-client.ts';
import { logEffects } from '../sumdb/log-effects.ts';
import { LogMemory } from '../sumdb/log-memory.ts';
import type { Database } from '../sumdb/database.ts';
import { type Subject, textOf } from '../telemetry/event.ts';
import {
  logRequest,
  logResume,
  logSecurity,
  logTrouble,
  type WriteLine,
} from '../telemetry/log.ts';
import { createTrace, type Trace } from '../effects/trace.ts';
import type { SecurityEvent } from '../telemetry/security-event.ts';
import { type Rendering, respond } from './respond.ts';

/** What lives as long as the isolate. */
export interface Services {
  readonly config: Config;
  readonly tiers: Tiers;
  readonly flights: Flights<Shared>;
  readonly budgets: Budgets;
  readonly setAside: SetAside;
  /** What is known of the origins. */
  readonly pool: Pool;
  /** Tells other isolates, and learns from them. */
  readonly sharing: HealthSharing;
  readonly probes: ProbeLog;
  /** What is known of each database's log, by the database's name. */
  readonly logs: ReadonlyMap<string, LogMemory>;
  readonly clock: Clock;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly random: () => number;
  readonly openPipe: Carrier['openPipe'];
  readonly writeLog: WriteLine;
}

/** What the platform knows of one request. */
export interface Incoming {
  readonly region: Region;
  /** Aborted when the client leaves before it has an answer, where the platform tells. */
  readonly signal: AbortSignal;
  readonly background: (report: Carrier['report']) => Background;
}

/** One request and its answer. */
export interface Exchange {
  readonly requestId: string;
  readonly started: number;
  readonly trace: Trace;
  readonly carrier: Carrier;
  /** The client of a database. */
  readonly clientOf: (database: Database) => LogClient;
  readonly region: Region;
  /** What became of it, for the log; set by `answer`. */
  subject: Subject;
  outcome: Outcome | undefined;
}

export interface Variables {
  Variables: { exchange: Exchange };
  Bindings: { incoming: Incoming };
}

/** Gives every request its id, its effects and, when it is answered, its line in the log. */
export function exchanges(services: Services): MiddlewareHandler<Variables> {
  return async function exchange(c, next) {
    c.set('exchange', open(services, c.env.incoming));
    await next();
    services.sharing.touch(c.get('exchange').carrier.background);
    log(services, c);
  };
}

function open(services: Services, { region, background, signal }: Incoming): Exchange {
  const {
    budgets,
    clock,
    config,
    fetch,
    flights,
    openPipe,
    pool,
    random,
    setAside,
    tiers,
    writeLog,
  } = services;
  const requestId = crypto.randomUUID();
  const started = clock.now();
  const timeLeft = () => started + config.totalLimitMs - clock.now();
  const trace = createTrace(clock);
  const report = (label: string, error: unknown) => logTrouble(writeLog, label, error, requestId);
  const run = background(report);
  services.sharing.touch(run);
  const alarm = (event: SecurityEvent) => logSecurity(writeLog, event, requestId);
  const onResume = (event: ResumeEvent) => logResume(writeLog, event, requestId);
  const effects: Omit<Carrier, 'verification'> = {
    store: new LayeredStore(tiers, { background: run, trace, clock, report }),
    ask(origins, question) {
      const connections = { fetch, clock, random, pool, signal, background: run };
      const asked = askOrigins(origins, question, {
        ...connections,
        region,
        onResume,
        ms: timeLeft(),
      });
      return trace.measure('origin', asked);
    },
    flights,
    budgets,
    background: run,
    setAside,
    distrust(failure) {
      const origin = config.origins.find(({ name }) => name === failure.origin);
      if (origin) pool.failed(origin, failure, { bytes: 0, isZip: true });
    },
    alarm,
    clock,
    signal,
    timeLeft,
    openPipe,
    report,
  };
  const clientOf = (database: Database) => openLog(database, services.logs, effects);
  return {
    requestId,
    started,
    trace,
    carrier: { ...effects, verification: verificationOf(config, clientOf) },
    clientOf,
    region,
    subject: { kind: 'unknown' },
    outcome: undefined,
  };
}

function openLog(
  database: Database,
  logs: Services['logs'],
  effects: Pick<Carrier, 'alarm' | 'ask' | 'background' | 'store'>,
): LogClient {
  const { name, key } = database;
  const memory = logs.get(name) ?? new LogMemory();
  return new LogClient({ name, key, memory, effects: logEffects(database, effects) });
}

/** What VERIFY asks for. Without a checksum database nothing can be compared. */
function verificationOf(
  { databases, withoutChecksums: unlogged, verify }: Config,
  clientOf: (database: Database) => LogClient,
): Verification {
  const zipRules = verify !== 'off';
  if (verify === 'off' || databases.length === 0) return { zipRules };
  const asked = databases.map((database) => ({ name: database.name, client: clientOf(database) }));
  const checksums = createChecksums(asked, { unlogged });
  return { zipRules, mods: checksums, ...(verify === 'all' ? { zips: checksums } : {}) };
}

/** Renders an outcome as the answer to a request. */
export function answer(
  c: Context<Variables>,
  services: Services,
  answered: {
    readonly subject: Subject;
    readonly outcome: Outcome;
    readonly unsatisfiable?: boolean;
  },
): Response {
  const exchange = c.get('exchange');
  exchange.subject = answered.subject;
  exchange.outcome = answered.outcome;
  const rendering: Rendering = {
    requestId: exchange.requestId,
    trace: exchange.trace,
    ms: services.clock.now() - exchange.started,
    ifNoneMatch: c.req.header('If-None-Match'),
    unsatisfiable: answered.unsatisfiable ?? false,
    withoutBody: c.req.raw.method === 'HEAD',
  };
  return respond(answered.outcome, rendering);
}

function log({ clock, config, writeLog }: Services, c: Context<Variables>): void {
  const { requestId, started, region, subject, outcome } = c.get('exchange');
  const length = c.res.headers.get('Content-Length');
  const client = config.logClientAddress ? c.req.header('CF-Connecting-IP') : undefined;
  const text = outcome && textOf(outcome);
  logRequest(writeLog, {
    requestId,
    method: c.req.raw.method,
    ...subject,
    status: c.res.status,
    source: outcome?.source ?? LOCAL,
    ...(length === null ? {} : { bytes: Number(length) }),
    ms: clock.now() - started,
    region,
    ...(client ? { client } : {}),
    ...(text === undefined ? {} : { text }),
  });
}
