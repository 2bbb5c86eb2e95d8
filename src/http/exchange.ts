import type { Context, MiddlewareHandler } from 'hono';
import type { Background } from '../background.ts';
import type { Clock } from '../clock.ts';
import type { Config } from '../config.ts';
import type { Carrier, Shared } from '../goproxy/carrier.ts';
import { LOCAL, type Outcome } from '../goproxy/outcome.ts';
import { askOrigins } from '../origins/ask.ts';
import type { Region } from '../origins/order.ts';
import type { Budget } from '../store/budget.ts';
import type { Flights } from '../store/flights.ts';
import { LayeredStore, type Tiers } from '../store/layered.ts';
import { type Subject, textOf } from '../telemetry/event.ts';
import { logRequest, logTrouble, type WriteLine } from '../telemetry/log.ts';
import { createTrace, type Trace } from '../trace.ts';
import { type Rendering, respond } from './respond.ts';

/** What lives as long as the isolate. */
export interface Services {
  readonly config: Config;
  readonly tiers: Tiers;
  readonly flights: Flights<Shared>;
  readonly budget: Budget;
  readonly clock: Clock;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly random: () => number;
  readonly openPipe: Carrier['openPipe'];
  readonly writeLog: WriteLine;
}

/** What the platform knows of one request. */
export interface Incoming {
  readonly region: Region;
  readonly background: (report: Carrier['report']) => Background;
}

/** One request and its answer. */
export interface Exchange {
  readonly requestId: string;
  readonly started: number;
  readonly trace: Trace;
  readonly carrier: Carrier;
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
    log(services, c);
  };
}

function open(services: Services, { region, background }: Incoming): Exchange {
  const { budget, clock, config, fetch, flights, openPipe, random, tiers, writeLog } = services;
  const requestId = crypto.randomUUID();
  const started = clock.now();
  const timeLeft = () => started + config.totalLimit - clock.now();
  const trace = createTrace(clock);
  const report = (label: string, error: unknown) => logTrouble(writeLog, label, error, requestId);
  const run = background(report);
  const carrier: Carrier = {
    store: new LayeredStore(tiers, { background: run, trace, clock, report }),
    ask: (origins, question) =>
      trace.measure('origin', askOrigins(origins, question, { fetch, clock, random, ms: timeLeft() })),
    flights,
    budget,
    background: run,
    clock,
    timeLeft,
    openPipe,
    report,
  };
  return {
    requestId,
    started,
    trace,
    carrier,
    region,
    subject: { kind: 'unknown' },
    outcome: undefined,
  };
}

/** Renders an outcome as the answer to a request. */
export function answer(
  c: Context<Variables>,
  services: Services,
  answered: { readonly subject: Subject; readonly outcome: Outcome; readonly unsatisfiable?: boolean },
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
