import type { Config } from './config/config.ts';
import { cronJobs, type JobEffects, jobReports } from './cron/jobs.ts';
import { runCron } from './cron/run-cron.ts';
import { type CronState, cronStateKind } from './cron/schedule.ts';
import { refusePrivate } from './access/private-modules.ts';
import type { Clock } from './effects/clock.ts';
import { SharedDocument } from './effects/shared-document.ts';
import type { Emit, TroubleEvent } from './effects/emit.ts';
import type { SharedStates } from './effects/shared-state.ts';
import { createTrace } from './effects/trace.ts';
import type { ModuleRequest } from './goproxy/request.ts';
import { moduleResolver, requestedFile } from './goproxy/resolve.ts';
import { moduleUpstreams } from './goproxy/upstreams.ts';
import { verificationOf } from './goproxy/verification.ts';
import { createApp } from './http/app.ts';
import type { Incoming, RequestScope } from './http/services.ts';
import type { OpenPipe, SharedByRequests } from './mirror/context.ts';
import { openBudgets } from './mirror/memory-budget.ts';
import { recheck } from './mirror/recheck.ts';
import type { MirroredFile } from './mirror/serve.ts';
import { SingleFlight } from './mirror/single-flight.ts';
import { WrongFiles } from './mirror/wrong-files.ts';
import { storeCheck } from './operations/check-store.ts';
import { HealthRegistry } from './origins/health/registry.ts';
import { HealthSharing } from './origins/health/share.ts';
import { ProbeLog } from './origins/probe/probe-log.ts';
import { askOrigins } from './origins/race/ask.ts';
import type { OpenDriver } from './origins/request/driver.ts';
import { httpDriver } from './origins/request/http-driver.ts';
import { OwnHostGuard } from './origins/request/own-host.ts';
import { LayeredStore } from './store/layered.ts';
import { KnownMarks } from './store/marks.ts';
import { testNear } from './status/near-test.ts';
import type { Tiers } from './store/tiers.ts';
import { CarrierSupport } from './sumdb/carrier-support.ts';
import { withoutCarriers } from './sumdb/carriers.ts';
import { type Checksums, createChecksums } from './sumdb/checksums.ts';
import type { Database } from './sumdb/database.ts';
import type { LogContext } from './sumdb/log-context.ts';
import { LogClient } from './sumdb/log/log-client.ts';
import { cacheEffects, logEffects } from './sumdb/log/log-effects.ts';
import { LogMemory } from './sumdb/log/log-memory.ts';
import { checksumResolver } from './sumdb/resolve.ts';
import { storedLookups } from './sumdb/stored-lookups.ts';
import { databaseUpstreams } from './sumdb/upstreams.ts';
import type { ModferryEvent, Sink } from './telemetry/event.ts';

/** The platform that modferry runs on: Cloudflare, Node, or a test. */
export interface Runtime {
  readonly tiers: Tiers;
  readonly sharedStates: SharedStates;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly openPipe: OpenPipe;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Receives every event. */
  readonly sink: Sink;
}

/** One instance of modferry, for many requests. */
export interface Modferry {
  /** The HTTP application. */
  readonly app: ReturnType<typeof createApp>;
  /** Runs the scheduled jobs that are due. Throws when one failed. */
  readonly runCron: (incoming: Incoming, requestId: string) => Promise<void>;
  /** Opens the effects of one request or command. */
  readonly open: (incoming: Incoming, requestId: string) => RequestScope;
}

/** Builds modferry. The Worker, the cron, commands and tests all use this composition. */
export function createModferry(config: Config, runtime: Runtime): Modferry {
  const { clock, fetch, random, sharedStates: states, sink } = runtime;
  const emit = (event: ModferryEvent) => sink(event);
  const carrierSupport = new CarrierSupport(clock);
  const ownHost = new OwnHostGuard();
  const openDriver: OpenDriver = (origin) => httpDriver(origin, { fetch, clock });
  const driversFor: DriversFor = (host, emitFor) =>
    carrierSupport.openDriver(ownHost.openDriver(openDriver, host, emitFor));
  const upstreams = [...moduleUpstreams(config.origins), ...databaseUpstreams(config.databases)];
  const health = new HealthRegistry({ clock, random });
  const urls = upstreams.map(({ origin }) => origin.url);
  const sharing = new HealthSharing({ health, urls, states, clock, emit });
  const probeLog = new ProbeLog({ states, clock, emit });
  const open = requestOpener(config, {
    ...runtime,
    health,
    driversFor,
    carrierSupport,
    sharing,
  });
  const { privateModules: patterns, withoutChecksums } = config;
  const checksums = checksumSources(config);
  const sources = {
    origins: config.origins,
    verificationOf: (context: LogContext) => verificationOf(config.verify, checksums.of(context)),
  };
  const scheduler = createScheduler(config, {
    runtime,
    open,
    readHead: (database, context) => checksums.clientOf(database, context).latest(),
    fileOf: requestedFile(sources),
    probes: {
      health,
      openDriver: driversFor(config.cacheHost, emit),
      upstreams,
      sharing,
      probeLog,
    },
  });
  return {
    open,
    app: createApp({
      config,
      clock,
      sink,
      open,
      async status() {
        const [history] = await Promise.all([probeLog.read(), sharing.readIfDue()]);
        return { upstreams, health, history, now: clock.now() };
      },
      jobs: scheduler.reports,
      testNear: async () => runtime.tiers.near && testNear(runtime.tiers.near, clock),
      resolveModule: refusePrivate(moduleResolver(sources), { patterns, why: 'PRIVATE covers it' }),
      resolveChecksums: refusePrivate(
        checksumResolver({ clientOf: checksums.clientOf, withoutChecksums }),
        { patterns, why: 'no checksum database is asked about it' },
      ),
    }),
    runCron: (incoming, requestId) => scheduler.run(incoming, requestId),
  };
}

/** What the jobs of the scheduler are made of. */
interface SchedulerParts {
  readonly runtime: Runtime;
  readonly open: Modferry['open'];
  readonly readHead: (database: Database, context: LogContext) => Promise<unknown>;
  readonly fileOf: (request: ModuleRequest, context: LogContext) => MirroredFile;
  readonly probes: Omit<JobEffects['probes'], 'clock' | 'emit' | 'limitMs'>;
}

/** The scheduler, and what it reports of its jobs. */
function createScheduler(config: Config, parts: SchedulerParts) {
  const { databases, isPaidPlan, totalLimitMs: limitMs } = config;
  const { fileOf, open, probes, readHead } = parts;
  const { clock, sharedStates: states, sink, tiers } = parts.runtime;
  const emit = (event: ModferryEvent) => sink(event);
  const state = new SharedDocument<CronState>(cronStateKind, { states, clock, emit });
  return {
    reports: async () => jobReports(await state.read(), isPaidPlan),
    async run(incoming: Incoming, requestId: string): Promise<void> {
      // Each part of a job has the time of a request.
      const context = () => open(incoming, requestId).context;
      const recheckStored = (request: ModuleRequest) => {
        const own = context();
        return recheck(fileOf(request, own), own);
      };
      const jobs = cronJobs({
        probes: { ...probes, clock, emit, limitMs },
        readHeads: new Map(databases.map((one) => [one.name, () => readHead(one, context())])),
        checkStore:
          tiers.durable && storeCheck({ durable: tiers.durable, emit, recheck: recheckStored }),
      });
      await runCron({ jobs, state, isPaidPlan, clock, emit });
    },
  };
}

/** Opens the drivers for a request by `host`; undefined for a run of the scheduler. */
type DriversFor = (host: string | undefined, emit: Emit<TroubleEvent>) => OpenDriver;

/** The runtime, and the state that all requests share. */
interface Shared extends Runtime {
  readonly health: HealthRegistry;
  readonly driversFor: DriversFor;
  readonly carrierSupport: CarrierSupport;
  readonly sharing: HealthSharing;
}

/** Returns the function that opens the effects of one request. */
function requestOpener(config: Config, runtime: Shared): Modferry['open'] {
  const { carrierSupport, clock, driversFor, health, openPipe, random } = runtime;
  const { sharing, sink, tiers } = runtime;
  const known = new KnownMarks();
  const shared: SharedByRequests = {
    flights: new SingleFlight(clock),
    budgets: openBudgets(clock),
    wrongFiles: new WrongFiles(clock),
  };
  return function open(incoming, requestId) {
    const { host, region, signal } = incoming;
    const startedAt = clock.now();
    const timeLeftMs = () => startedAt + config.totalLimitMs - clock.now();
    const trace = createTrace(clock);
    const emit = (event: ModferryEvent) => sink(event, requestId);
    const background = incoming.background((label, error) =>
      emit({ event: 'trouble', label, error }),
    );
    // An answer from the store costs no look at what isolates share of the origins.
    const syncHealth = () => sharing.syncIfDue(background);
    const openDriver = driversFor(host, emit);
    const askEffects = { openDriver, clock, random, health, signal, background, region, emit };
    const context: LogContext = {
      store: new LayeredStore(tiers, {
        background,
        trace,
        clock,
        emit,
        known,
        hold: (bytes) => shared.budgets.held.take(bytes),
      }),
      origins: {
        async ask(origins, question) {
          syncHealth();
          const asking = askOrigins(origins.filter(carrierSupport.mayAsk), question, {
            ...askEffects,
            remainingMs: timeLeftMs(),
          });
          const answer = await trace.measure('origin', asking);
          syncHealth();
          return answer;
        },
        recordFailure(failure) {
          const origin = config.origins.find(({ name }) => name === failure.origin);
          if (origin) health.recordFailure(origin, failure, { bytes: 0, lane: 'bulk' });
          syncHealth();
        },
      },
      shared,
      mayFetch: true,
      select: undefined,
      clock,
      background,
      emit,
      signal,
      timeLeftMs,
      openPipe,
    };
    return { requestId, startedAt, region, trace, context, emit };
  };
}

/** The clients of the checksum databases, and the look-up of hashes through them. */
function checksumSources({ databases, withoutChecksums }: Config) {
  const memories = new Map<string, LogMemory>();
  function memoryOf(name: string): LogMemory {
    const memory = memories.get(name) ?? new LogMemory();
    memories.set(name, memory);
    return memory;
  }
  const clientOf = (database: Database, context: LogContext) => {
    // A request that may not fetch asks no origin, also not on behalf of a database.
    const asked = context.mayFetch ? database : withoutCarriers(database);
    return new LogClient({
      name: database.name,
      key: database.key,
      memory: memoryOf(database.name),
      effects: logEffects(asked, { ...context, ask: context.origins.ask }),
    });
  };
  return {
    clientOf,
    /** Undefined without a database: nothing can be compared then. */
    of(context: LogContext): Checksums | undefined {
      const sources = databases.map((database) =>
        storedLookups(database, {
          client: clientOf(database, context),
          cache: cacheEffects(database, context),
        }),
      );
      return sources.length > 0 ? createChecksums(sources, { withoutChecksums }) : undefined;
    },
  };
}
