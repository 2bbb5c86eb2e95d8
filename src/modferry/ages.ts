import { agesOpener, type AgesOptions } from '../access/ages/ages.ts';
import type { AgeLimitsOf, OpenAges } from '../access/policy/age.ts';
import { ageLimits } from '../access/policy/age-limits.ts';
import type { Config } from '../config/config.ts';
import { within } from '../effects/clock.ts';
import { timeOfInfo } from '../goproxy/check-answer.ts';
import { bodyOf } from '../goproxy/found-body.ts';
import type { ModuleRequest } from '../goproxy/request.ts';
import type { Resolver } from '../mirror/context.ts';
import type { Database } from '../sumdb/database.ts';
import type { LogContext } from '../sumdb/log-context.ts';
import type { checksumSources } from './checksum-sources.ts';
import type { Runtime } from './runtime.ts';

interface AgesParts extends Pick<Runtime, 'clock'> {
  readonly checksums: ReturnType<typeof checksumSources>;
  /** Resolves requests of modules without any policy. */
  readonly resolveModule: Resolver<ModuleRequest, LogContext>;
}

export interface AgesOfModferry {
  readonly openAges: OpenAges;
  readonly ageLimitsOf: AgeLimitsOf;
  /**
   * Observes the logs when an isolate starts, where a minimum age needs that. Resolves then, or after
   * two seconds. Never rejects.
   */
  readonly observeAtStart: (context: LogContext) => Promise<void>;
}

/** The ages of versions, for policies. */
export function createAges(
  config: Pick<Config, 'databases' | 'isPaidPlan' | 'minimumAge' | 'privateModules'>,
  { checksums, clock, resolveModule }: AgesParts,
): AgesOfModferry {
  const { databases, isPaidPlan, minimumAge, privateModules } = config;
  const infoTime: AgesOptions['infoTime'] = async (module, version, context) => {
    const request = { kind: 'info', module, version } as const;
    const outcome = await resolveModule(request, { ...context, select: undefined });
    return outcome.kind === 'found' ? (timeOfInfo(await bodyOf(outcome)) ?? Infinity) : undefined;
  };
  const checksumsOf = (context: LogContext) =>
    context.mayFetch ? checksums.anyOf(context) : checksums.storedOf(context);
  const names = databases.map(({ name }) => name);
  const { observationsOf } = checksums;
  const options = { databases: names, checksumsOf, observationsOf, infoTime, isPaidPlan };
  const observed = minimumAge.ms === undefined ? [] : databases;
  return {
    openAges: agesOpener(options, clock),
    ageLimitsOf: ageLimits(minimumAge, privateModules),
    observeAtStart: startObserver(observed, checksums),
  };
}

/** When the start is tried again that could not be observed. */
const RETRY_MS = 30_000;

/** How long the first health check waits for it. */
const WAIT_MS = 2_000;

/**
 * What is older than the first observation is judged by the author's word. So that observation is
 * made as early as it can be: before the first health check has its answer.
 */
function startObserver(
  databases: readonly Database[],
  { clientOf }: Pick<AgesParts['checksums'], 'clientOf'>,
): AgesOfModferry['observeAtStart'] {
  let left = databases;
  let triedAt = -Infinity;
  async function observe(database: Database, context: LogContext): Promise<boolean> {
    return (await clientOf(database, context).latest()).kind === 'proven';
  }
  return async function observeAtStart(context) {
    const { background, clock } = context;
    if (left.length === 0 || clock.steady() - triedAt < RETRY_MS) return;
    triedAt = clock.steady();
    const observing = Promise.all(
      left.map(async (database) => ((await observe(database, context)) ? [] : [database])),
    ).then((unobserved) => void (left = unobserved.flat()));
    background('observe logs', observing);
    await within(clock, WAIT_MS, observing).catch(() => undefined);
  };
}
