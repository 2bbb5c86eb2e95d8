import type { Background } from '../../effects/background.ts';
import { attempt, type AttemptEffects, type Question } from '../request/attempt.ts';
import type { OriginBody } from '../request/body.ts';
import { learn } from '../health/record-attempt.ts';
import { BadAnswer, type Origin } from '../origin.ts';
import { type Pool, PROVEN_BYTES } from '../health/pool.ts';
import { Vitals } from '../request/attempt-progress.ts';

/** Bytes that are read beyond the place where the last body broke. */
const TRIAL_BYTES = 64 * 1024;

/** Milliseconds for a trial: who takes longer is asked after the others also then. */
const TRIAL_TIME = 5_000;

/**
 * Tries origins that failed, now that it is time to, with the question at hand, beside the request:
 * the way back is on nobody's time. Where no origin is well the request itself is the trial.
 */
export function startTrials(
  ranked: readonly Origin[],
  question: Pick<Question<unknown>, 'path' | 'isZip' | 'is400Missing'>,
  effects: AttemptEffects & { readonly pool: Pool; readonly background: Background },
): void {
  const { pool } = effects;
  const { isZip = false } = question;
  const [best, ...others] = ranked;
  if (!best) return;
  const isWell = !pool.isUnwell(best, isZip);
  // One at a time: a request has six connections, and its own work comes first.
  const tried = (isWell ? others : [best]).find((origin) => pool.takeTrial(origin, isZip));
  if (tried && isWell) effects.background('trial', tryOut(tried, question, effects));
}

async function tryOut(
  origin: Origin,
  {
    path,
    isZip = false,
    is400Missing = true,
  }: Pick<Question<unknown>, 'path' | 'isZip' | 'is400Missing'>,
  { clock, fetch, pool }: AttemptEffects & { readonly pool: Pool },
): Promise<void> {
  const vitals = new Vitals(clock);
  const question: Question<void> = {
    path,
    is400Missing,
    async accept(body) {
      try {
        const start = await body.start(TRIAL_BYTES);
        const text = new TextDecoder().decode(start.subarray(0, 256)).trimStart();
        if (text.startsWith('<')) throw new BadAnswer('a page');
        if (isZip && !text.startsWith('PK')) throw new BadAnswer('a body that is no zip');
        if (start.length < TRIAL_BYTES) body.checkLength(start.length);
        else if (isZip) await readOn(body, Math.min(pool.health(origin).brokeAfter, PROVEN_BYTES));
      } finally {
        await body.cancel('it was a trial');
      }
    },
  };
  pool.counters(origin).asked += 1;
  const result = await attempt(origin, question, { clock, fetch, vitals, ms: TRIAL_TIME });
  learn(pool, { origin, result, vitals, isZip });
}

/** Reads and forgets so many bytes, or all that there are. */
async function readOn(body: OriginBody, bytes: number): Promise<void> {
  let memory = new ArrayBuffer(TRIAL_BYTES);
  for (let left = bytes; left > 0;) {
    const read = await body.fill(memory);
    if (read.length < TRIAL_BYTES) return;
    left -= read.length;
    memory = read.buffer;
  }
}
