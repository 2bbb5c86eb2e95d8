import type { Config } from '../config/config.ts';
import { type DocumentEffects, SharedDocument } from '../effects/shared-document.ts';
import type { Emit } from '../effects/emit.ts';
import type { ModuleRequest } from '../goproxy/request.ts';
import { askAgain, askFinalOrigins, isDue } from '../goproxy/takedowns.ts';
import { recheck } from '../mirror/recheck.ts';
import type { MirroredFile } from '../mirror/serve.ts';
import { storeCheck } from '../operations/check-store.ts';
import { type TakedownCheck, takedownCheck } from '../operations/check-takedowns.ts';
import type { JobReport } from '../status/job-report.ts';
import type { DurableStore } from '../store/contract.ts';
import type { Database } from '../sumdb/database.ts';
import type { LogContext } from '../sumdb/log-context.ts';
import type { ModferryEvent } from '../telemetry/event.ts';
import { cronJobs, type JobEffects, jobReports } from './jobs.ts';
import { runCron } from './run-cron.ts';
import { type CronState, cronStateKind } from './schedule.ts';

type ProbeParts = JobEffects['probes'];

/** What the jobs are made of. */
export interface SchedulerParts extends Pick<DocumentEffects, 'states' | 'clock'> {
  readonly emit: Emit<ModferryEvent>;
  readonly durable: DurableStore | undefined;
  readonly probes: Pick<ProbeParts, 'health' | 'upstreams' | 'sharing' | 'probeLog'>;
  readonly readHead: (database: Database, context: LogContext) => Promise<unknown>;
  readonly fileOf: (request: ModuleRequest, context: LogContext) => MirroredFile;
}

/** The effects of one run. */
export interface RunEffects {
  readonly network: Pick<ProbeParts, 'connections' | 'openDriver'>;
  /** Opens a context over this network, with the time of a request. */
  readonly openContext: () => LogContext;
}

export interface Scheduler {
  /** What a status page says of the jobs. */
  readonly reports: () => Promise<readonly JobReport[]>;
  /** Runs the jobs that are due. Throws when one failed. */
  readonly run: (effects: RunEffects) => Promise<void>;
}

/** A known file that takes longer is of no use to anybody, and other upstreams wait for it. */
const MAX_PROBE_MS = 20_000;

/** The scheduler of a deployment. */
export function createScheduler(config: Config, parts: SchedulerParts): Scheduler {
  const { databases, isPaidPlan, totalLimitMs } = config;
  const limitMs = Math.min(totalLimitMs, MAX_PROBE_MS);
  const { clock, durable, emit, fileOf, probes, readHead, states } = parts;
  const state = new SharedDocument<CronState>(cronStateKind, { states, clock, emit });
  return {
    reports: async () => jobReports(await state.read(), isPaidPlan),
    async run({ network, openContext }) {
      const recheckStored = (request: ModuleRequest) => {
        const context = openContext();
        return recheck(fileOf(request, context), context);
      };
      const jobs = cronJobs({
        probes: { ...probes, ...network, clock, emit, limitMs },
        readHeads: new Map(databases.map((one) => [one.name, () => readHead(one, openContext())])),
        checkTakedowns: durable && checkFinalOrigins(config, durable, openContext),
        checkStore: durable && storeCheck({ durable, emit, recheck: recheckStored }),
      });
      await runCron({ jobs, state, isPaidPlan, clock, emit });
    },
  };
}

/** The check for takedowns; undefined where no origin's refusal is final. */
function checkFinalOrigins(
  config: Config,
  durable: DurableStore,
  openContext: () => LogContext,
): TakedownCheck | undefined {
  if (config.origins.every(({ refusal }) => refusal !== 'final')) return undefined;
  return takedownCheck({
    durable,
    async due() {
      const { clock, store } = openContext();
      const all = (await store.marks.takedowns()) ?? [];
      return all.filter((takedown) => isDue(takedown, clock.now()));
    },
    askAgain: (takedown) => askAgain(takedown, config, openContext()),
    ask: (version) => askFinalOrigins(version, config, openContext()),
  });
}
