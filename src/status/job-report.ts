/** What `/readyz` says of a job of the scheduler. */
export interface JobReport {
  readonly name: string;
  /** False where the job does not run, because it needs the paid plan. */
  readonly isAllowed: boolean;
  /** When its last step ran, in milliseconds since the epoch; undefined when none has. */
  readonly ranAt: number | undefined;
  /** Where its round goes on; undefined when the round is finished. */
  readonly cursor: string | undefined;
}

/** One line for each job; `now` is in milliseconds since the epoch. */
export function jobsText(jobs: readonly JobReport[], now: number): string {
  return jobs.map((job) => `${job.name}: ${stateOf(job, now)}\n`).join('');
}

function stateOf({ cursor, isAllowed, ranAt }: JobReport, now: number): string {
  if (!isAllowed) return 'does not run, it needs the paid plan (VERIFY=all)';
  if (ranAt === undefined) return 'has not run yet';
  const minutes = Math.max(Math.floor((now - ranAt) / 60_000), 0);
  return `ran ${minutes} min ago${cursor === undefined ? '' : ', and goes on at the next run'}`;
}
