import type { Emit } from '../../effects/emit.ts';
import type { OriginEvent } from '../events.ts';
import type { Failure } from '../failure.ts';
import type { BreakerState } from '../health/breaker.ts';
import type { Origin } from '../origin.ts';
import { laneOf, type Question } from '../request/question.ts';
import type { Answer, Effort, Missing } from './answer.ts';
import { groupsOf, rankOrigins, type Region } from './order.ts';
import { Race } from './race.ts';
import type { RaceEffects } from './race-entry.ts';
import { checkDoubted, startTrials } from './trial.ts';

export interface AskEffects extends Omit<RaceEffects, 'deadline' | 'emit'> {
  /** Until there has to be an answer. */
  readonly remainingMs: number;
  readonly region: Region;
  readonly emit: Emit<OriginEvent>;
}

/**
 * Failover: origins are asked until one has the answer, those of a group as a race. Never throws.
 *
 * `|` and `,` mean what they mean in GOPROXY: after `|` the next origin is asked whatever happened,
 * after `,` only when the answer was 404 or 410. Origins joined by `|` are taken for mirrors of one
 * another, and so:
 *
 * - they are ranked and raced, and no origin behind a `,` receives the name of a module before
 *   those in front of it answered 404;
 * - a 404 from one of them counts also when its mirrors are down (in a filtered network one of them
 *   always is, and the go command needs quick 404s for the prefixes of an import path);
 * - across a `,` it does not: `corp,public` demands the answer of public, and when public is down
 *   there is none. An outage never turns into a 404.
 *
 * The origins of a private module are no mirrors of one another. They are asked in turn, the next
 * one also after an error, and a 404 counts only when none of them failed: any of them may have the
 * module, and a 404 would have the go command name it to its next proxy.
 *
 * The origins of ORIGINS that carry a checksum database are asked after its own addresses. Whether
 * there is a record is for those addresses to say: a carrier is not asked when all of them answered
 * 404, and its own answer makes a 404 neither certain nor uncertain.
 *
 * A 403 of an origin whose refusals are final (final-refusal.ts) is the answer wherever it comes up.
 *
 * A file with another hash than a checksum database has is worse than no answer, and any origin may
 * have the right one: then the next is asked also across a `,`, and no 404 of another origin hides
 * the mismatch.
 */
export async function askOrigins<T>(
  origins: readonly Origin[],
  question: Question<T>,
  effects: AskEffects,
): Promise<Answer<T>> {
  const { clock, health } = effects;
  const lane = laneOf(question);
  const { askLast, skip } = question.policy ?? {};
  const deadline = clock.steady() + effects.remainingMs;
  const breakers = openBreakers(origins, (origin) => health.state(origin, lane));
  const failures: Failure[] = [];
  let missing: Missing | undefined;
  let attempts = 0;
  let hedged = false;
  health.hedgeBudget.earn();

  const effort = (): Effort => ({ attempts, hedged, breakers });

  const isLast = (group: readonly Origin[]) => group.every((origin) => askLast?.(origin) ?? false);
  const groups = groupsOf(origins);
  let mayContinue = true;
  // Whether an origin failed that is asked in turn: then no 404 of the others is the answer.
  let isOpen = false;
  // A group that gave nothing but wrong files would pass its comma by that. So the next group is
  // asked first, and this one after all others.
  for (const group of [...groups.filter((one) => !isLast(one)), ...groups.filter(isLast)]) {
    if (!mayContinue && !isLast(group)) continue;
    const asked = group.filter((origin) => !skip?.(origin));
    if (asked.length === 0 && group.length > 0) continue;
    const ranked = rankOrigins(asked, { ...effects, lane, askLast });
    startTrials(ranked, question, effects);
    const result = await new Race(ranked, question, { ...effects, deadline }).run();
    checkDoubted(ranked, effects);
    attempts += result.attempts;
    hedged ||= result.hedged;
    if (result.accepted) {
      const { origin, value } = result.accepted;
      const before = [...failures, ...result.failures.filter(isTold)];
      return { kind: 'accepted', value, origin, failures: before, effort: effort() };
    }
    failures.push(...result.failures.filter(isTold));
    missing = result.missing;
    if (missing?.isFinal) return { kind: 'missing', missing, isUnanimous: false, effort: effort() };
    const isNotThere = missing !== undefined && missing.status !== 403;
    const isInTurn = group.some(({ fallback }) => fallback === 'in turn');
    isOpen ||= isInTurn && missing === undefined;
    mayContinue = isNotThere || result.failures.some(isMismatch) || (isInTurn && !missing);
  }
  if (missing && !isOpen && !failures.some(isMismatch)) {
    return {
      kind: 'missing',
      missing,
      isUnanimous: isCertain(origins, failures),
      effort: effort(),
    };
  }
  return { kind: 'failed', failures, effort: effort() };
}

/** Whether no address failed that has a say in whether there is a file. */
function isCertain(origins: readonly Origin[], failures: readonly Failure[]): boolean {
  const own = origins.filter(({ carries }) => carries === undefined);
  const failed = new Set(failures.map(({ origin }) => origin));
  return own.length > 0 && !own.some(({ name }) => failed.has(name));
}

/** That an origin does not carry a database is no outage, and of no use to anybody. */
function isTold({ reason }: Failure): boolean {
  return reason.kind !== 'not asked' || reason.because !== 'it does not carry the database';
}

function isMismatch({ reason }: Failure): boolean {
  return reason.kind === 'mismatch';
}

function openBreakers(
  origins: readonly Origin[],
  stateOf: (origin: Origin) => BreakerState,
): Effort['breakers'] {
  const states = origins.map((origin) => [origin.name, stateOf(origin)] as const);
  return Object.fromEntries(states.filter(([, state]) => state !== 'closed'));
}
