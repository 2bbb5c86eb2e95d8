import type { Emit, TroubleEvent } from '../effects/emit.ts';
import type { ProbeEvent } from '../origins/events.ts';
import type { HealthSharing } from '../origins/health/share.ts';
import type { ProbeLog } from '../origins/probe/probe-log.ts';
import { probe, type ProbeEffects } from '../origins/probe/probe.ts';
import type { Upstream } from '../origins/upstream.ts';

export interface CronEffects extends ProbeEffects {
  readonly upstreams: readonly Upstream[];
  readonly sharing: HealthSharing;
  readonly probeLog: ProbeLog;
  readonly emit: Emit<ProbeEvent | TroubleEvent>;
}

export interface CronJob {
  readonly name: string;
  readonly run: (effects: CronEffects) => Promise<void>;
}

/** What runs at each call of the scheduler, in this order. */
export const CRON_JOBS: readonly CronJob[] = [{ name: 'probe', run: probeUpstreams }];

/**
 * Probes every upstream. The outcome goes into the history and to all isolates. The shared health
 * is read first: a probe is a trial of an origin with an open breaker, and continues its count.
 */
async function probeUpstreams(effects: CronEffects): Promise<void> {
  const { probeLog, sharing, upstreams } = effects;
  await sharing.read();
  await probeLog.add(await probe(upstreams, effects));
  await sharing.write();
}

/**
 * Runs the jobs one after the other. A failure is emitted, and the next jobs still run. Throws the
 * failures at the end, so that the platform counts the run as failed.
 */
export async function runCron(effects: CronEffects, jobs = CRON_JOBS): Promise<void> {
  const errors: unknown[] = [];
  for (const { name, run } of jobs) {
    try {
      await run(effects);
    } catch (error) {
      effects.emit({ event: 'trouble', label: `cron job ${name}`, error });
      errors.push(error);
    }
  }
  if (errors.length > 0) throw new AggregateError(errors, `${errors.length} cron jobs failed`);
}
