import type { Clock } from '../effects/clock.ts';
import type { Emit, TroubleEvent } from '../effects/emit.ts';
import type { SharedDocument } from '../effects/shared-document.ts';
import { afterStep, type CronState, dueJobs } from './schedule.ts';

/** When a job runs, and what it needs. */
export interface JobTerms {
  /** Seconds from the start of one round to the next. */
  readonly everySeconds: number;
  /** Whether a step takes more than the 10 ms of CPU time that the free plan allows. */
  readonly needsPaidPlan: boolean;
  /** The fewest external calls (`fetch` and Cache API) that a step needs. */
  readonly minCalls: number;
}

/** A job that the scheduler runs. */
export interface CronJob extends JobTerms {
  readonly name: string;
  /** Does the next part of a round. */
  readonly step: (task: Task) => Promise<Step>;
}

export interface Task {
  /** Where the round goes on; undefined at its start. */
  readonly cursor: string | undefined;
  /** The external calls that the step may make. */
  readonly calls: number;
}

export interface Step {
  /** Where the round goes on; undefined when it is finished. */
  readonly cursor: string | undefined;
  /** The external calls that were made at most. */
  readonly calls: number;
}

export interface CronEffects {
  readonly jobs: readonly CronJob[];
  readonly state: Pick<SharedDocument<CronState>, 'readNow' | 'update'>;
  readonly isPaidPlan: boolean;
  readonly clock: Pick<Clock, 'now'>;
  readonly emit: Emit<TroubleEvent>;
}

/**
 * The external calls of a run. On the free plan the platform refuses the 51st; the rest is for
 * redirects and for what isolates share.
 */
const FREE_CALLS = 40;
const PAID_CALLS = 1_000;

/**
 * Runs a step of each job that is due, while there are calls left for it. What is left goes on at
 * the next run. A failure is emitted, and the next jobs still run. Throws the failures at the end,
 * so that the platform counts the run as failed.
 */
export async function runCron(effects: CronEffects): Promise<void> {
  const { clock, emit, isPaidPlan, jobs, state } = effects;
  const before = await state.readNow();
  const allowed = jobs.filter(({ needsPaidPlan }) => isPaidPlan || !needsPaidPlan);
  const ran: Record<string, CronState[string]> = {};
  const errors: unknown[] = [];
  let calls = isPaidPlan ? PAID_CALLS : FREE_CALLS;
  for (const job of dueJobs(allowed, before, clock.now())) {
    const { minCalls, name } = job;
    if (minCalls > calls) continue;
    const known = before[name];
    const now = clock.now();
    try {
      const step = await job.step({ cursor: known?.cursor, calls });
      calls -= step.calls;
      ran[name] = afterStep(known, now, step.cursor);
    } catch (error) {
      calls -= minCalls;
      // The round goes on where it was.
      ran[name] = afterStep(known, now, known?.cursor);
      emit({ event: 'trouble', label: `cron job ${name}`, error });
      errors.push(error);
    }
  }
  await state.update((current) => ({ ...current, ...ran }));
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} cron jobs failed`);
}
