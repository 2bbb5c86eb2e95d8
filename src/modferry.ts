import type { Config } from './config/config.ts';
import { createScheduler } from './cron/scheduler.ts';
import { explainer } from './access/policy/explain.ts';
import { byPolicy } from './access/policy/resolve.ts';
import { inPrivateRealm, refusePrivate } from './access/private-modules.ts';
import { StoredTokens } from './access/tokens/stored-tokens.ts';
import { latestOfList } from './goproxy/latest-of-list.ts';
import { moduleResolver, requestedFile } from './goproxy/resolve.ts';
import { refuseTakenDown } from './goproxy/takedowns.ts';
import { moduleUpstreams } from './goproxy/upstreams.ts';
import { verificationOf } from './goproxy/verification.ts';
import { withHosted } from './hosted/resolve.ts';
import { createApp } from './http/app.ts';
import type { Incoming, RequestScope } from './http/services.ts';
import { matches } from './module/patterns.ts';
import { HealthRegistry } from './origins/health/registry.ts';
import { HealthSharing } from './origins/health/share.ts';
import { ProbeLog } from './origins/probe/probe-log.ts';
import { knownFiles } from './origins/upstream.ts';
import { testNear } from './status/near-test.ts';
import { CarrierSupport } from './sumdb/carrier-support.ts';
import type { LogContext } from './sumdb/log-context.ts';
import { checksumResolver } from './sumdb/resolve.ts';
import { databaseUpstreams } from './sumdb/upstreams.ts';
import type { ModferryEvent } from './telemetry/event.ts';
import { type AgesOfModferry, createAges } from './modferry/ages.ts';
import { checksumSources } from './modferry/checksum-sources.ts';
import { networkOpener } from './modferry/network.ts';
import { logReader } from './modferry/policy.ts';
import type { Runtime } from './modferry/runtime.ts';
import { requestOpener } from './modferry/scope.ts';
import { withoutRefusals } from './modferry/sinks.ts';

/** One instance of modferry, for many requests. */
export interface Modferry {
  /** The HTTP application. */
  readonly app: ReturnType<typeof createApp>;
  /** Runs the scheduled jobs that are due. Throws when one failed. */
  readonly runCron: (incoming: Incoming, requestId: string) => Promise<void>;
  /** Opens the effects of one request or command. */
  readonly open: (incoming: Incoming, requestId: string) => RequestScope;
  /** The ages of versions. */
  readonly ages: AgesOfModferry;
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
  const { privateModules } = config;
  const tokens = new StoredTokens(config.tokens, clock);
  const checksums = checksumSources(config, runtime);
  const sources = {
    origins: config.origins,
    privateModules,
    verificationOf: (context: LogContext) => verificationOf(config.verify, checksums.of(context)),
  };
  const hosting = withHosted(moduleResolver(sources), privateModules);
  const resolveUnfiltered = refuseTakenDown(
    inPrivateRealm(latestOfList(hosting, privateModules), privateModules),
    sources,
  );
  const ages = createAges(config, { checksums, clock, resolveModule: resolveUnfiltered });
  const policy = {
    allow: config.allow,
    deny: config.deny,
    limitsOf: ages.ageLimitsOf,
    openAges: ages.openAges,
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
    ages,
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
      tokensOf: (context) => tokens.open(context),
      isPrivate: (module) => matches(privateModules, module),
      resolveModule: byPolicy(resolveUnfiltered, policy),
      explain: explainer(resolveUnfiltered, policy, logReader(checksums)),
      atStart: ages.observeAtStart,
      resolveChecksums: refusePrivate(
        checksumResolver({ clientOf: checksums.clientOf }),
        privateModules,
      ),
    }),
    async runCron(incoming, requestId) {
      const network = openNetwork(config.cacheHost, requestId);
      const openContext = () => open(incoming, requestId, network).context;
      await scheduler.run({ network, openContext });
    },
  };
}
