import * as v from 'valibot';
import type { DocumentKind } from '../effects/shared-document.ts';

/** What is known of a job. Times are in milliseconds since the epoch. */
export interface JobState {
  /** When its last round began. */
  readonly startedAt: number;
  /** When its last step ran. */
  readonly ranAt: number;
  /** Where an unfinished round goes on; undefined when the round is finished. */
  readonly cursor?: string | undefined;
}

/** The state of each job, by its name. */
export type CronState = Readonly<Record<string, JobState>>;

const VERSION = 1;

const Time = v.pipe(v.number(), v.finite());

const Schema = v.object({
  version: v.literal(VERSION),
  jobs: v.record(
    v.string(),
    v.object({ startedAt: Time, ranAt: Time, cursor: v.optional(v.string()) }),
  ),
});

function encodeState(jobs: CronState): string {
  return JSON.stringify({ version: VERSION, jobs });
}

/** Undefined when the text is damaged, or of another version of modferry. */
function decodeState(text: string): CronState | undefined {
  const parsed = v.safeParse(Schema, parseJSON(text));
  return parsed.success ? parsed.output.jobs : undefined;
}

function parseJSON(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Where the state is kept: a job that was lost starts over. */
export const cronStateKind: DocumentKind<CronState> = {
  name: 'cron',
  version: VERSION,
  label: 'state of the scheduler',
  keptSeconds: 7 * 86_400,
  empty: {},
  encode: encodeState,
  decode: decodeState,
};

/** The scheduler calls some seconds early or late. */
const TOLERANCE_MS = 60_000;

/** The jobs with something to do, the one that has waited for longest first. */
export function dueJobs<Job extends { readonly name: string; readonly everySeconds: number }>(
  jobs: readonly Job[],
  state: CronState,
  now: number,
): readonly Job[] {
  const ranAt = ({ name }: Job) => state[name]?.ranAt ?? 0;
  return jobs
    .filter(({ everySeconds, name }) => {
      const job = state[name];
      if (!job || job.cursor !== undefined) return true;
      return now - job.startedAt >= everySeconds * 1000 - TOLERANCE_MS;
    })
    .toSorted((a, b) => ranAt(a) - ranAt(b));
}

/** The state of a job after a step that began at `now` and goes on at `cursor`. */
export function afterStep(
  before: JobState | undefined,
  now: number,
  cursor: string | undefined,
): JobState {
  const isNewRound = before?.cursor === undefined;
  return { startedAt: isNewRound ? now : before.startedAt, ranAt: now, cursor };
}
