/** The jobs of the scheduler, which calls every 15 minutes. */
import type { StoreCheck } from '../operations/check-store.ts';
import type { TakedownCheck } from '../operations/check-takedowns.ts';
import type { HealthSharing } from '../origins/health/share.ts';
import type { ProbeLog } from '../origins/probe/probe-log.ts';
import { probe, type ProbeEffects } from '../origins/probe/probe.ts';
import type { Upstream } from '../origins/upstream.ts';
import type { JobReport } from '../status/job-report.ts';
import type { CronJob, JobTerms, Step, Task } from './run-cron.ts';
import type { CronState } from './schedule.ts';

const EVERY_RUN_SECONDS = 900;

/** The two files of an upstream, with a redirect each. */
const CALLS_OF_PROBE = 4;

/** Reading and writing the shared health in the data centre's cache. */
const CALLS_OF_SHARING = 4;

/** A tree head, and the tiles that prove it. */
const CALLS_OF_HEAD = 12;

/** A stored look-up is proven by tiles, some of which may have to be asked for. */
const CALLS_OF_CHECK = 12;

/** An `.info` and the known file that confirms a refusal, with a redirect each. */
const CALLS_OF_TAKEDOWN = 4;

/** Nothing waits for the takedown check: it leaves most of a run's calls to the other jobs. */
const SHARE_OF_TAKEDOWNS = 1 / 3;

export interface JobEffects {
  readonly probes: ProbeEffects & {
    readonly upstreams: readonly Upstream[];
    readonly sharing: HealthSharing;
    readonly probeLog: ProbeLog;
  };
  /** Reads the newest tree head of each checksum database and proves it, by its name. */
  readonly readHeads: ReadonlyMap<string, () => Promise<unknown>>;
  /** Checks stored files; absent where there is no durable tier, or nothing is compared. */
  readonly checkStore?: StoreCheck | undefined;
  /** Asks for stored versions; absent where nothing is stored, or no origin's refusal is final. */
  readonly checkTakedowns?: TakedownCheck | undefined;
}

/** The table of jobs. */
export const JOBS = {
  probe: {
    everySeconds: EVERY_RUN_SECONDS,
    needsPaidPlan: false,
    minCalls: CALLS_OF_SHARING + CALLS_OF_PROBE,
  },
  'log heads': { everySeconds: EVERY_RUN_SECONDS, needsPaidPlan: false, minCalls: CALLS_OF_HEAD },
  'takedown check': { everySeconds: 86_400, needsPaidPlan: false, minCalls: CALLS_OF_TAKEDOWN },
  'store check': { everySeconds: EVERY_RUN_SECONDS, needsPaidPlan: true, minCalls: CALLS_OF_CHECK },
} as const satisfies Readonly<Record<string, JobTerms>>;

/** The jobs that there is something for. */
export function cronJobs(effects: JobEffects): readonly CronJob[] {
  const { checkStore, checkTakedowns, probes, readHeads } = effects;
  const jobs: CronJob[] = [
    { name: 'probe', ...JOBS.probe, step: (task) => probeNext(task, probes) },
    { name: 'log heads', ...JOBS['log heads'], step: (task) => readNextHeads(task, readHeads) },
  ];
  if (checkTakedowns) {
    const step = (task: Task) => askForNext(task, checkTakedowns);
    jobs.push({ name: 'takedown check', ...JOBS['takedown check'], step });
  }
  if (!checkStore) return jobs;
  const step = async ({ calls, cursor }: Task): Promise<Step> => {
    const checked = await checkStore(cursor, Math.floor(calls / CALLS_OF_CHECK));
    return { cursor: checked.cursor, calls: checked.files * CALLS_OF_CHECK };
  };
  return [...jobs, { name: 'store check', ...JOBS['store check'], step }];
}

/** What a status page says of the jobs. */
export function jobReports(state: CronState, isPaidPlan: boolean): readonly JobReport[] {
  return Object.entries(JOBS).map(([name, { needsPaidPlan }]) => ({
    name,
    isAllowed: isPaidPlan || !needsPaidPlan,
    ranAt: state[name]?.ranAt,
    cursor: state[name]?.cursor,
  }));
}

/**
 * Probes as many upstreams as there are calls for. The outcome goes into the history and to all
 * isolates. The shared health is read first: a probe is a trial of an origin with an open breaker,
 * and continues its count.
 */
async function probeNext(task: Task, effects: JobEffects['probes']): Promise<Step> {
  const { connections, probeLog, sharing, upstreams } = effects;
  const part = partOf(upstreams, ({ id }) => id, {
    ...task,
    calls: task.calls - CALLS_OF_SHARING,
    callsOfOne: CALLS_OF_PROBE,
  });
  await sharing.read(connections);
  await probeLog.add(await probe(part.items, effects));
  await sharing.write(connections);
  return { cursor: part.cursor, calls: part.calls + CALLS_OF_SHARING };
}

/** The heads bring the known tree head forward, and show a log that has forked or rolled back. */
async function readNextHeads(task: Task, readHeads: JobEffects['readHeads']): Promise<Step> {
  const part = partOf([...readHeads], ([name]) => name, { ...task, callsOfOne: CALLS_OF_HEAD });
  for (const [, readHead] of part.items) await readHead();
  return { cursor: part.cursor, calls: part.calls };
}

/** Stored versions are asked for, within a part of the calls. */
async function askForNext({ calls, cursor }: Task, check: TakedownCheck): Promise<Step> {
  const max = Math.floor((calls * SHARE_OF_TAKEDOWNS) / CALLS_OF_TAKEDOWN);
  const asked = await check(cursor, Math.max(max, 1));
  return { cursor: asked.cursor, calls: asked.versions * CALLS_OF_TAKEDOWN };
}

/** The items from the cursor on that there are calls for, and the first one behind them. */
function partOf<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  { calls, callsOfOne, cursor }: Task & { readonly callsOfOne: number },
): Step & { readonly items: readonly T[] } {
  const start = Math.max(
    items.findIndex((item) => nameOf(item) === cursor),
    0,
  );
  const end = start + Math.floor(calls / callsOfOne);
  const part = items.slice(start, end);
  const next = items[end];
  return { items: part, cursor: next && nameOf(next), calls: part.length * callsOfOne };
}
