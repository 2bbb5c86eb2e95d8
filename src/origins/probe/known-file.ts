import type { Clock } from '../../effects/clock.ts';
import type { Connections } from '../../effects/connections.ts';
import { failed, success } from '../../effects/result.ts';
import { wrongContent } from '../failure.ts';
import type { Lane } from '../health/health.ts';
import { recordAttempt } from '../health/record-attempt.ts';
import type { HealthRegistry } from '../health/registry.ts';
import type { Origin } from '../origin.ts';
import { AttemptProgress } from '../request/attempt-progress.ts';
import { type Attempt, attempt } from '../request/attempt.ts';
import type { OpenDriver } from '../request/driver.ts';
import type { Question } from '../request/question.ts';
import type { ProbeFile } from './probe-files.ts';

export interface KnownFileEffects {
  readonly health: HealthRegistry;
  readonly clock: Clock;
  readonly connections: Connections;
  readonly openDriver: OpenDriver;
}

export interface KnownFileOptions {
  /** Which of its breakers the file is about. */
  readonly lane: Lane;
  /** How long it may take. */
  readonly limitMs: number;
}

/** How much of a file is read, by its lane; the rest is cancelled. */
const LIMIT_BYTES: Readonly<Record<Lane, number>> = { reach: 64 * 1024, bulk: 128 * 1024 };

/** Requests a file that an origin is known to have, and records the outcome. Never rejects. */
export async function askKnownFile(
  origin: Origin,
  file: ProbeFile,
  { lane, limitMs, health, ...effects }: KnownFileEffects & KnownFileOptions,
): Promise<{ readonly result: Attempt<undefined>; readonly progress: AttemptProgress }> {
  const progress = new AttemptProgress(effects.clock);
  health.counters(origin).requests += 1;
  // Where refusals are final, an origin that refuses this file too is broken.
  const policy = { areRefusalsAnswers: origin.refusal !== 'final' };
  const question = { ...startOfFile(file, LIMIT_BYTES[lane]), policy };
  const result = await attempt(origin, question, { ...effects, limitMs, progress });
  recordAttempt(health, { origin, result, progress, lane, path: file.path, isKnownFile: true });
  return { result, progress };
}

/** The question whether an origin gives a file, of which so many bytes are read. */
export function startOfFile(
  { path, isExpected }: ProbeFile,
  limitBytes: number = LIMIT_BYTES.reach,
): Question<undefined> {
  return {
    path,
    async accept(body) {
      const start = await body.start(limitBytes);
      if (start.length < limitBytes) body.checkLength(start.length);
      await body.cancel('the rest is not needed');
      return isExpected(start)
        ? success(undefined)
        : failed(wrongContent('another file than the known one'));
    },
  };
}
