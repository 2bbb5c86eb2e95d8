import type { Config } from './config/config.ts';
import { createScheduler } from './cron/scheduler.ts';
import { refusePrivate } from './access/private-modules.ts';
import type { Clock } from './effects/clock.ts';
import type { Emit, TroubleEvent } from './effects/emit.ts';
import { Connections, LimitError } from './effects/connections.ts';
import type { SharedStates } from './effects/shared-state.ts';
import { createTrace } from './effects/trace.ts';
import { moduleResolver, requestedFile } from './goproxy/resolve.ts';
import { moduleUpstreams } from './goproxy/upstreams.ts';
import { verificationOf } from './goproxy/verification.ts';
import { createApp } from './http/app.ts';
import type { Incoming, RequestScope } from './http/services.ts';
import type { OpenPipe, SharedByRequests } from './mirror/context.ts';
import { openBudgets } from './mirror/memory-budget.ts';
import { SingleFlight } from './mirror/single-flight.ts';
import { WrongFiles } from './mirror/wrong-files.ts';
import { HealthRegistry } from './origins/health/registry.ts';
import { HealthSharing } from './origins/health/share.ts';
import { ProbeLog } from './origins/probe/probe-log.ts';
import { askOrigins } from './origins/race/ask.ts';
import type { OpenDriver } from './origins/request/driver.ts';
import { httpDriver } from './origins/request/http-driver.ts';
import { knownFiles } from './origins/upstream.ts';
import { OwnHostGuard } from './origins/request/own-host.ts';
import { LayeredStore } from './store/layered.ts';
import { KnownMarks } from './store/marks.ts';
import { testNear } from './status/near-test.ts';
import { requestTiers } from './store/request-tiers.ts';
import { TierHealth } from './store/tier-health.ts';
import type { Tiers } from './store/tiers.ts';
import { CarrierSupport } from './sumdb/carrier-support.ts';
import { withoutCarriers } from './sumdb/carriers.ts';
import { type Checksums, createChecksums } from './sumdb/checksums.ts';
import type { Database } from './sumdb/database.ts';
import type { LogContext } from './sumdb/log-context.ts';
import { LogClient } from './sumdb/log/log-client.ts';
import { logEffects } from './sumdb/log/log-effects.ts';
import { LogMemory } from './sumdb/log/log-memory.ts';
import { checksumResolver } from './sumdb/resolve.ts';
import { storedLookups } from './sumdb/stored-lookups.ts';
import { databaseUpstreams } from './sumdb/upstreams.ts';
import type { HashPairs } from './tlog/hash-tile.ts';
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
  /** Default: a random UUID. */
  readonly newRequestId?: (() => string) | undefined;
  /** Hashes the tiles of checksum databases. Default: native code, hash by hash. */
  readonly hashPairs?: HashPairs | undefined;
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
  const { clock, newRequestId, random, sharedStates: states } = runtime;
  const sink = withoutRefusals(runtime.sink);
  const emit = (event: ModferryEvent) => sink(event);
  const carrierSupport = new CarrierSupport(clock);
  const openNetwork = networkOpener(config, { ...runtime, sink, carrierSupport });
  const upstreams = [...moduleUpstreams(config.origins), ...databaseUpstreams(config.databases)];
  const health = new HealthRegistry({ clock, random, knownFileOf: knownFiles(upstreams) });
  const urls = upstreams.map(({ origin }) => origin.url);
  const sharing = new HealthSharing({ health, urls, states, clock, emit });
  const probeLog = new ProbeLog({ states, clock, emit });
  const parts = { sink, health, openNetwork, carrierSupport, sharing };
  const open = requestOpener(config, { ...runtime, ...parts });
  const { privateModules: patterns, withoutChecksums } = config;
  const checksums = checksumSources(config, runtime);
  const sources = {
    origins: config.origins,
    verificationOf: (context: LogContext) => verificationOf(config.verify, checksums.of(context)),
  };
  const scheduler = createScheduler(config, {
    states,
    clock,
    emit,
    durable: runtime.tiers.durable,
    probes: { health, upstreams, sharing, probeLog },
    readHead: (database, context) => checksums.clientOf(database, context).latest(),
    fileOf: requestedFile(sources),
  });
  return {
    open,
    app: createApp({
      config,
      clock,
      sink,
      newRequestId,
      open,
      async status(connections) {
        const [history] = await Promise.all([probeLog.read(), sharing.readIfDue(connections)]);
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
    async runCron(incoming, requestId) {
      const network = openNetwork(config.cacheHost, requestId);
      const openContext = () => open(incoming, requestId, network).context;
      await scheduler.run({ network, openContext });
    },
  };
}

/** What one invocation asks origins with. */
interface Network {
  readonly connections: Connections;
  readonly openDriver: OpenDriver;
}

/** `host` is the name by which the invocation reached modferry, where that is known. */
type OpenNetwork = (host: string | undefined, requestId: string) => Network;

/**
 * Returns the function that opens the connections of one invocation, and the drivers that use them.
 * The platform's refusal of a call is logged here, once.
 */
function networkOpener(
  { externalCalls }: Config,
  runtime: Pick<Runtime, 'clock' | 'fetch' | 'sink'> & { readonly carrierSupport: CarrierSupport },
): OpenNetwork {
  const { carrierSupport, clock, fetch, sink } = runtime;
  const ownHost = new OwnHostGuard();
  return function openNetwork(host, requestId) {
    const emit = (event: TroubleEvent) => sink(event, requestId);
    const connections = new Connections({
      externalCalls,
      onRefused: ({ message: error }) =>
        emit({ event: 'trouble', label: 'limit of the platform', error }),
    });
    const counted: Runtime['fetch'] = (url, init) =>
      connections.call('external', () => fetch(url, init));
    const openDriver: OpenDriver = (origin) => httpDriver(origin, { fetch: counted, clock });
    return {
      connections,
      openDriver: carrierSupport.openDriver(ownHost.openDriver(openDriver, host, emit)),
    };
  };
}

/** The sink without the troubles of calls that the platform refused: these are logged once. */
function withoutRefusals(sink: Sink): Sink {
  return (event, requestId) => {
    const isRefusal = event.event === 'trouble' && event.error instanceof LimitError;
    if (!isRefusal) sink(event, requestId);
  };
}

/** Passes events on, and of the troubles of one request each once. */
function withoutRepetition(emit: Emit<ModferryEvent>): Emit<ModferryEvent> {
  const reported = new Set<string>();
  return (event) => {
    const trouble = event.event === 'trouble' ? `${event.label} ${String(event.error)}` : undefined;
    if (trouble !== undefined && reported.has(trouble)) return;
    if (trouble !== undefined) reported.add(trouble);
    emit(event);
  };
}

/** The runtime, and the state that all requests share. */
interface Shared extends Runtime {
  readonly health: HealthRegistry;
  readonly openNetwork: OpenNetwork;
  readonly carrierSupport: CarrierSupport;
  readonly sharing: HealthSharing;
}

/** Opens the effects of a request, over a network of its own by default. */
type OpenScope = (incoming: Incoming, requestId: string, network?: Network) => RequestScope;

/** Returns the function that opens the effects of one request. */
function requestOpener(config: Config, runtime: Shared): OpenScope {
  const { carrierSupport, clock, health, openNetwork, openPipe, random } = runtime;
  const { sharing, sink } = runtime;
  const known = new KnownMarks();
  const tierHealth = new TierHealth();
  const shared: SharedByRequests = {
    flights: new SingleFlight(clock),
    budgets: openBudgets(clock),
    wrongFiles: new WrongFiles(clock),
  };
  return function open(incoming, requestId, network) {
    const { host, region, signal } = incoming;
    const { connections, openDriver } = network ?? openNetwork(host, requestId);
    const startedAt = clock.steady();
    const timeLeftMs = () => startedAt + config.totalLimitMs - clock.steady();
    const trace = createTrace(clock);
    const emit = withoutRepetition((event) => sink(event, requestId));
    const background = incoming.background((label, error) =>
      emit({ event: 'trouble', label, error }),
    );
    const stores = { clock, connections, health: tierHealth, stallMs: config.stallLimitMs };
    const tiers = requestTiers(runtime.tiers, stores);
    // An answer from the store costs no look at what isolates share of the origins.
    const syncHealth = () => sharing.syncIfDue(background, connections);
    const asking = { openDriver, clock, connections, random, health };
    const askEffects = { ...asking, signal, background, region, emit };
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
          const answering = askOrigins(origins.filter(carrierSupport.mayAsk), question, {
            ...askEffects,
            remainingMs: timeLeftMs(),
          });
          const answer = await trace.measure('origin', answering);
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
      staleMaxMs: config.staleMaxMs,
      select: undefined,
      clock,
      background,
      emit,
      signal,
      timeLeftMs,
      openPipe,
    };
    return { requestId, startedAt, region, trace, context, connections, emit };
  };
}

/** The clients of the checksum databases, and the look-up of hashes through them. */
function checksumSources(
  { databases, withoutChecksums }: Config,
  { clock, hashPairs }: Pick<Runtime, 'clock' | 'hashPairs'>,
) {
  const memories = new Map<string, LogMemory>();
  function memoryOf(name: string): LogMemory {
    const memory = memories.get(name) ?? new LogMemory(clock);
    memories.set(name, memory);
    return memory;
  }
  function open(database: Database, context: LogContext) {
    const { key, name } = database;
    // A request that may not fetch asks no origin, also not on behalf of a database.
    const asked = context.mayFetch ? database : withoutCarriers(database);
    const effects = logEffects(asked, { ...context, ask: context.origins.ask, hashPairs });
    const client = new LogClient({ name, key, memory: memoryOf(name), effects });
    return { client, cache: effects };
  }
  return {
    clientOf: (database: Database, context: LogContext) => open(database, context).client,
    /** Undefined without a database: nothing can be compared then. */
    of(context: LogContext): Checksums | undefined {
      const sources = databases.map((database) => storedLookups(database, open(database, context)));
      return sources.length > 0 ? createChecksums(sources, { withoutChecksums }) : undefined;
    },
  };
}
