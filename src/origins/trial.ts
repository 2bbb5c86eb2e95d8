import type { Background } from '../background.ts';
import { attempt, type AttemptEffects, type Question } from './attempt.ts';
import { learn } from './learn.ts';
import { BadAnswer, type Origin } from './origin.ts';
import type { Pool } from './pool.ts';
import { Vitals } from './vitals.ts';

/** Bytes of a body that show that it comes through. */
const TRIAL_BYTES = 64 * 1024;

/** Milliseconds for a trial: the platform ends what runs much longer than the request that it belongs to. */
const TRIAL_TIME = 15_000;

/**
 * Tries origins that failed, now that it is time to, with the question at hand, beside the request: the way back is on nobody's
 * time. Where no origin is well the request itself is the trial.
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
  for (const origin of isWell ? others : [best]) {
    if (!pool.takeTrial(origin, isZip) || !isWell) continue;
    effects.background('trial', tryOut(origin, question, effects));
  }
}

async function tryOut(
  origin: Origin,
  { path, isZip = false, is400Missing = true }: Pick<Question<unknown>, 'path' | 'isZip' | 'is400Missing'>,
  { clock, fetch, pool }: AttemptEffects & { readonly pool: Pool },
): Promise<void> {
  const vitals = new Vitals(clock);
  const question: Question<void> = {
    path,
    is400Missing,
    async accept(body) {
      const start = await body.start(TRIAL_BYTES);
      await body.cancel('it was a trial');
      const text = new TextDecoder().decode(start.subarray(0, 256)).trimStart();
      if (text.startsWith('<')) throw new BadAnswer('a page');
      if (isZip && !text.startsWith('PK')) throw new BadAnswer('a body that is no zip');
    },
  };
  pool.counters(origin).asked += 1;
  const result = await attempt(origin, question, { clock, fetch, vitals, ms: TRIAL_TIME });
  learn(pool, { origin, result, vitals, isZip });
}
