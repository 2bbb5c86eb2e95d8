/**
 * Takedowns. The official mirror answers 403 by itself only for what was blocked for security
 * reasons, and the proxy of a company for what its policy bars. Another mirror may still have the
 * file, and the checksum database still vouches for it. So the 403 of an origin whose `refusal` is
 * final is the last word about a version (docs/decisions/035).
 *
 * An origin that is broken, or that bars modferry altogether, answers 403 to everything. So the 403
 * counts only where the origin gives a file of another module now; otherwise it is a failure as any
 * other status is. What a redirect leads to has no such say: the driver makes its 403 a failure.
 */
import type { Failure } from '../failure.ts';
import { moduleAt } from '../health/doubts.ts';
import { TRIAL_LIMIT_MS } from '../health/registry.ts';
import type { Origin } from '../origin.ts';
import { askKnownFile, type KnownFileEffects } from '../probe/known-file.ts';
import { isNoPage, type ProbeFile } from '../probe/probe-files.ts';
import type { Attempt } from '../request/attempt.ts';
import type { QuestionTerms } from '../request/question.ts';

/** Whether the answer is a takedown if the origin is not merely broken. */
export function isFinalRefusal(
  { refusal }: Origin,
  { policy }: QuestionTerms,
  result: Attempt<unknown>,
): boolean {
  const mayCount = refusal === 'final' && policy?.mayBeTakenDown === true;
  return mayCount && result.kind === 'missing' && result.missing.status === 403;
}

export interface ConfirmEffects extends KnownFileEffects {
  /** Path of the refused file. */
  readonly path: string;
  /** When there has to be an answer, on the steady clock. */
  readonly deadline: number;
}

/**
 * What a final refusal proves to be: a takedown, or the failure of an origin that gives nothing else
 * either. Where no file is known that the origin has, it is an answer about this origin alone: the
 * next request may tell. Takes five seconds at most. Never rejects.
 */
export async function confirmRefusal<T>(
  origin: Origin,
  result: Attempt<T>,
  effects: ConfirmEffects,
): Promise<Attempt<T>> {
  if (result.kind !== 'missing') return result;
  switch (await givesAnother(origin, effects)) {
    case 'yes':
      return { kind: 'missing', missing: { ...result.missing, isFinal: true } };
    case 'no':
      return { kind: 'failed', failure: barred(origin) };
    case 'unknown':
      return result;
  }
}

function barred({ name: origin }: Origin): Failure {
  const words = 'it gives no file of another module now';
  return { origin, reason: { kind: 'status', status: 403, words } };
}

/** Whether the origin gives a file of another module now; unknown where it has none that is known. */
async function givesAnother(
  origin: Origin,
  { deadline, path, ...effects }: ConfirmEffects,
): Promise<'yes' | 'no' | 'unknown'> {
  const { clock, health } = effects;
  if (health.isTripped(origin)) return 'no';
  const until = Math.min(clock.steady() + TRIAL_LIMIT_MS, deadline);
  let verdict: 'no' | 'unknown' = 'unknown';
  for (const file of filesOfOthers(origin, { health, path })) {
    const limitMs = until - clock.steady();
    if (limitMs <= 0) return 'no';
    const { result } = await askKnownFile(origin, file, { ...effects, lane: 'reach', limitMs });
    if (result.kind === 'accepted') return 'yes';
    if (result.kind === 'failed') verdict = 'no';
  }
  return verdict;
}

/** The files of other modules that the origin should have: its known file, and what it gave before. */
function filesOfOthers(
  origin: Origin,
  { health, path }: Pick<ConfirmEffects, 'health' | 'path'>,
): readonly ProbeFile[] {
  const known = health.knownFileOf(origin);
  const given = health.counters(origin).given.toReversed();
  const files = [
    ...(known ? [known] : []),
    ...given.map((path) => ({ path, isExpected: isNoPage })),
  ];
  return files.filter((file) => moduleAt(file.path) !== moduleAt(path));
}
