import type { Background } from '../../effects/background.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import { looksLikeZipStart } from '../../zip/read/directory.ts';
import { type FailureReason, wrongContent } from '../failure.ts';
import { recordAttempt } from '../health/record-attempt.ts';
import { type HealthRegistry, PROVEN_BYTES, TRIAL_LIMIT_MS } from '../health/registry.ts';
import type { Origin } from '../origin.ts';
import { AttemptProgress } from '../request/attempt-progress.ts';
import { attempt, type AttemptEffects } from '../request/attempt.ts';
import type { OriginBody } from '../request/body.ts';
import { laneOf, type Question, type QuestionTerms } from '../request/question.ts';

/** How much is read beyond the place where the last body broke. */
const TRIAL_BYTES = 64 * 1024;

export interface TrialEffects extends AttemptEffects {
  readonly health: HealthRegistry;
  readonly background: Background;
}

/**
 * Tries a suspect origin whose trial is due, with the question at hand, in the background: the
 * client does not wait for it. Where every origin is suspect the request itself is the trial.
 */
export function startTrials(
  ranked: readonly Origin[],
  question: QuestionTerms,
  effects: TrialEffects,
): void {
  const { background, connections, health } = effects;
  if (!connections.hasSpareCalls) return;
  const lane = laneOf(question);
  const [best, ...others] = ranked;
  if (!best) return;
  const isHealthy = !health.isSuspect(best, lane);
  // One at a time: the request's own work comes first.
  const claimed = (isHealthy ? others : [best]).find((origin) => health.claimTrial(origin, lane));
  if (claimed && isHealthy) background('trial', tryOut(claimed, question, effects));
}

async function tryOut(
  origin: Origin,
  terms: QuestionTerms,
  { clock, connections, health, openDriver }: TrialEffects,
): Promise<void> {
  const lane = laneOf(terms);
  const progress = new AttemptProgress(clock);
  const provingBytes =
    lane === 'bulk' ? Math.min(health.of(origin).brokeAfter, PROVEN_BYTES) : undefined;
  const question: Question<undefined> = {
    path: terms.path,
    policy: { is400Missing: terms.policy?.is400Missing },
    async accept(body) {
      try {
        return await checkBody(body, provingBytes);
      } finally {
        await body.cancel('it was a trial');
      }
    },
  };
  health.counters(origin).requests += 1;
  const limitMs = TRIAL_LIMIT_MS;
  const effects = { clock, connections, openDriver };
  const result = await attempt(origin, question, { ...effects, progress, limitMs });
  recordAttempt(health, { origin, result, progress, lane });
}

/** `provingBytes` is how much more of a zip has to come through; undefined for a small file. */
async function checkBody(
  body: OriginBody,
  provingBytes: number | undefined,
): Promise<Result<undefined, FailureReason>> {
  const start = await body.start(TRIAL_BYTES);
  const text = new TextDecoder().decode(start.subarray(0, 256)).trimStart();
  if (text.startsWith('<')) return failed(wrongContent('a page'));
  const isZip = provingBytes !== undefined;
  if (isZip && !looksLikeZipStart(start)) return failed(wrongContent('a body that is no zip'));
  if (start.length < TRIAL_BYTES) body.checkLength(start.length);
  else if (isZip) await skipBytes(body, provingBytes);
  return success(undefined);
}

/** Reads so many bytes, or all that there are. */
async function skipBytes(body: OriginBody, bytes: number): Promise<void> {
  let memory = new ArrayBuffer(TRIAL_BYTES);
  for (let left = bytes; left > 0;) {
    const read = await body.fill(memory);
    if (read.length < TRIAL_BYTES) return;
    left -= read.length;
    memory = read.buffer;
  }
}
