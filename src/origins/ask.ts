import { type Attempt, attempt, type AttemptEffects, type Question } from './attempt.ts';
import type { Missing } from '../store/contract.ts';
import type { Failure, Origin } from './origin.ts';

/**
 * Failover: origins are asked one after the other, until one has the answer.
 *
 * `|` and `,` mean what they mean in GOPROXY: after `|` the next origin is asked whatever happened, after `,` only when
 * the answer was 404 or 410. Origins joined by `|` are taken for mirrors of one another, and so:
 *
 * - a 404 from one of them counts also when its mirrors are down (in a filtered network one of them always is, and the
 *   go command lives on quick 404s for the prefixes of an import path);
 * - across a `,` it does not: whoever wrote `corp,public` wants public's word, and when public is down there is none.
 *   An outage never turns into a 404.
 *
 * A file with another hash than a checksum database has is worse than no answer, and any origin may have the right one: then
 * the next is asked also across a `,`, and no 404 of another one hides that something is wrong.
 */
export type Answer<T> =
  | {
      readonly kind: 'accepted';
      readonly value: T;
      readonly origin: string;
      readonly attempts: number;
      /** What went wrong before. */
      readonly failures: readonly Failure[];
    }
  | {
      readonly kind: 'missing';
      readonly missing: Missing;
      /** False when some origin could not be asked: its word may differ, so this one should not be kept. */
      readonly unanimous: boolean;
      readonly attempts: number;
    }
  | { readonly kind: 'failed'; readonly failures: readonly Failure[]; readonly attempts: number };

export interface AskEffects extends AttemptEffects {
  /** Between 0 and 1. */
  readonly random: () => number;
}

/** The longest that a lone origin's Retry-After is waited for, in milliseconds. */
const PATIENCE = 2_000;

/** Asks `origins` in their order for at most `ms` milliseconds until the first accepted answer. Never throws. */
export async function askOrigins<T>(
  origins: readonly Origin[],
  question: Question<T>,
  effects: AskEffects & { readonly ms: number },
): Promise<Answer<T>> {
  const deadline = effects.clock.now() + effects.ms;
  const failures: Failure[] = [];
  let attempts = 0;
  let missing: Missing | undefined;

  for (const origin of origins) {
    const result = await tryOrigin(origin, origins.length === 1);
    if (result.kind === 'accepted') return { ...result, attempts, failures };
    if (result.kind === 'missing') missing ??= result.missing;
    else failures.push(result.failure);

    if (origin.fallback === 'missing') {
      if (!missing && !isMismatch(failures.at(-1))) break;
      // A comma ends a group of mirrors: from here on the next group's word counts.
      if (origin !== origins.at(-1)) missing = undefined;
    }
  }
  if (missing && !failures.some(isMismatch))
    return { kind: 'missing', missing, unanimous: failures.length === 0, attempts };
  return { kind: 'failed', failures, attempts };

  async function tryOrigin(origin: Origin, alone: boolean): Promise<Attempt<T>> {
    const first = await tryOnce(origin);
    if (!alone || first.kind !== 'failed') return first;
    const pause = retryPause(first.failure, effects.random);
    if (pause === undefined || effects.clock.now() + pause >= deadline) return first;
    await effects.clock.sleep(pause);
    const second = await tryOnce(origin);
    // Something that cannot be the file, and then "no such file": that is no word to believe.
    return second.kind === 'missing' && first.failure.cause === 'answer' ? first : second;
  }

  async function tryOnce(origin: Origin): Promise<Attempt<T>> {
    const ms = deadline - effects.clock.now();
    if (ms <= 0) {
      return {
        kind: 'failed',
        failure: { origin: origin.name, cause: 'timeout', text: 'not asked, the time was up' },
      };
    }
    attempts += 1;
    return attempt(origin, question, { ...effects, ms });
  }
}

function isMismatch(failure: Failure | undefined): boolean {
  return failure?.cause === 'mismatch';
}

/**
 * Milliseconds to wait before a lone origin is asked once more, or undefined where that is no use: after a timeout the
 * time is gone, a wrong file stays wrong, and an origin that asks for more patience than a developer has gets its way.
 */
function retryPause(failure: Failure, random: () => number): number | undefined {
  if (failure.cause === 'timeout' || failure.cause === 'mismatch') return undefined;
  if (failure.retryAfter === undefined) return 50 + random() * 200;
  return failure.retryAfter * 1000 <= PATIENCE ? failure.retryAfter * 1000 : undefined;
}
