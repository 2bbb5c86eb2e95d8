import type { Background } from '../../effects/background.ts';
import { failed, type Result, success } from '../../effects/result.ts';
import { looksLikeZipStart } from '../../zip/read/directory.ts';
import { type FailureReason, wrongContent } from '../failure.ts';
import { recordAttempt } from '../health/record-attempt.ts';
import { type HealthRegistry, PROVEN_BYTES, TRIAL_LIMIT_MS } from '../health/registry.ts';
import type { Origin } from '../origin.ts';
import { askKnownFile } from '../probe/known-file.ts';
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
 * Tries a suspect origin whose trial is due, in the background: the client does not wait for it. An
 * open breaker for answers is tried with the known file, and everything else with the question at
 * hand. Where every origin is suspect the request itself is the trial.
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

/** Checks the origins whose failures open their breakers if these are confirmed. */
export function checkDoubted(origins: readonly Origin[], effects: TrialEffects): void {
  const { connections, health } = effects;
  if (!connections.hasSpareCalls) return;
  for (const origin of origins) if (health.isDoubted(origin)) checkKnownFile(origin, effects);
}

/**
 * Asks an origin for a file that it is known to have, in the background. Nothing happens where no
 * such file is known, or was asked for a moment ago.
 */
export function checkKnownFile(origin: Origin, effects: TrialEffects): void {
  const { background, health } = effects;
  const file = health.knownFileOf(origin);
  if (!file || !health.claimCheck(origin)) return;
  background(
    'check',
    askKnownFile(origin, file, { ...effects, lane: 'reach', limitMs: TRIAL_LIMIT_MS }),
  );
}

async function tryOut(origin: Origin, terms: QuestionTerms, effects: TrialEffects): Promise<void> {
  const { clock, connections, health, openDriver } = effects;
  const limitMs = TRIAL_LIMIT_MS;
  const known = health.isTripped(origin) ? health.knownFileOf(origin) : undefined;
  if (known)
    return void (await askKnownFile(origin, known, { ...effects, lane: 'reach', limitMs }));
  const lane = laneOf(terms);
  const progress = new AttemptProgress(clock);
  const provingBytes =
    lane === 'bulk' ? Math.min(health.of(origin).brokeAfter, PROVEN_BYTES) : undefined;
  const question: Question<undefined> = {
    path: terms.path,
    policy: { areRefusalsAnswers: terms.policy?.areRefusalsAnswers },
    async accept(body) {
      try {
        return await checkBody(body, provingBytes);
      } finally {
        await body.cancel('it was a trial');
      }
    },
  };
  health.counters(origin).requests += 1;
  const options = { clock, connections, openDriver, progress, limitMs };
  const result = await attempt(origin, question, options);
  recordAttempt(health, { origin, result, progress, lane, path: terms.path });
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
