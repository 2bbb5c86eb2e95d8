import type { Background } from '../../effects/background.ts';
import type { Missing } from '../../store/contract.ts';
import type { Question } from '../request/attempt.ts';
import type { BreakerState } from '../health/breaker.ts';
import { groupsOf, type Region, rankOrigins } from './order.ts';
import type { Failure, Origin } from '../origin.ts';
import { Race } from './race.ts';
import type { RaceEffects } from './race-entry.ts';
import { startTrials } from './trial.ts';

/**
 * Failover: origins are asked until one has the answer, those of a group as a race.
 *
 * `|` and `,` mean what they mean in GOPROXY: after `|` the next origin is asked whatever happened,
 * after `,` only when the answer was 404 or 410. Origins joined by `|` are taken for mirrors of one
 * another, and so:
 *
 * - they are ranked and raced, and no origin behind a `,` hears of a module before those in front
 *   of it said 404;
 * - a 404 from one of them counts also when its mirrors are down (in a filtered network one of them
 *   always is, and the go command lives on quick 404s for the prefixes of an import path);
 * - across a `,` it does not: whoever wrote `corp,public` wants public's word, and when public is
 *   down there is none. An outage never turns into a 404.
 *
 * A file with another hash than a checksum database has is worse than no answer, and any origin may
 * have the right one: then the next is asked also across a `,`, and no 404 of another one hides
 * that something is wrong.
 */
export type Answer<T> = Effort &
  (
    | {
        readonly kind: 'accepted';
        readonly value: T;
        readonly origin: string;
        /** What went wrong before. */
        readonly failures: readonly Failure[];
      }
    | {
        readonly kind: 'missing';
        readonly missing: Missing;
        /**
         * False when some origin could not be asked: its word may differ, so this one should not be
         * kept.
         */
        readonly unanimous: boolean;
      }
    | { readonly kind: 'failed'; readonly failures: readonly Failure[] }
  );

/** What it took to get an answer. */
export interface Effort {
  /** How many requests went to origins. */
  readonly attempts: number;
  /** An origin was asked although another one might still have answered. */
  readonly hedged?: true;
  /** Breakers that were not closed when the origins were ranked, by the name of the origin. */
  readonly breakers?: Readonly<Record<string, BreakerState>>;
}

/** What an answer took, without the answer. */
export function effortOf({ attempts, breakers, hedged }: Effort): Effort {
  return { attempts, ...(hedged ? { hedged } : {}), ...(breakers ? { breakers } : {}) };
}

export interface AskEffects extends Omit<RaceEffects, 'deadline'> {
  /** Milliseconds until the answer has to be there. */
  readonly ms: number;
  readonly region: Region;
  readonly background: Background;
}

/** Asks `origins` until the first accepted answer. Never throws. */
export async function askOrigins<T>(
  origins: readonly Origin[],
  question: Question<T>,
  effects: AskEffects,
): Promise<Answer<T>> {
  const { clock, pool } = effects;
  const isZip = question.isZip ?? false;
  const deadline = clock.now() + effects.ms;
  const breakers = openBreakers(origins, (origin) => pool.state(origin, isZip));
  const failures: Failure[] = [];
  let missing: Missing | undefined;
  let attempts = 0;
  let hedged = false;
  pool.budget.earn();

  const effort = (): Effort => ({
    attempts,
    ...(hedged ? { hedged } : {}),
    ...(breakers ? { breakers } : {}),
  });

  const isSetAside = (group: readonly Origin[]) =>
    group.every((origin) => question.isLast?.(origin) ?? false);
  const groups = groupsOf(origins);
  let mayGoOn = true;
  // A group that has only given wrong files crossed its comma by that: the next one first, and it
  // again when all else failed.
  for (const group of [...groups.filter((one) => !isSetAside(one)), ...groups.filter(isSetAside)]) {
    if (!mayGoOn && !isSetAside(group)) continue;
    const asked = group.filter((origin) => !question.isSettled?.(origin));
    if (asked.length === 0 && group.length > 0) continue;
    const ranked = rankOrigins(asked, { ...effects, isZip, isLast: question.isLast });
    startTrials(ranked, question, effects);
    const result = await new Race(ranked, question, { ...effects, deadline }).run();
    attempts += result.attempts;
    hedged ||= result.hedged;
    if (result.accepted) {
      const { origin, value } = result.accepted;
      const before = [...failures, ...result.failures];
      return { kind: 'accepted', value, origin, failures: before, ...effort() };
    }
    failures.push(...result.failures);
    missing = result.missing;
    mayGoOn = missing !== undefined || result.failures.some(isMismatch);
  }
  if (missing && !failures.some(isMismatch)) {
    return { kind: 'missing', missing, unanimous: failures.length === 0, ...effort() };
  }
  return { kind: 'failed', failures, ...effort() };
}

function isMismatch({ cause }: Failure): boolean {
  return cause === 'mismatch';
}

function openBreakers(
  origins: readonly Origin[],
  stateOf: (origin: Origin) => BreakerState,
): Readonly<Record<string, BreakerState>> | undefined {
  const open = origins.map((origin) => [origin.name, stateOf(origin)] as const);
  const shown = open.filter(([, state]) => state !== 'closed');
  return shown.length > 0 ? Object.fromEntries(shown) : undefined;
}
