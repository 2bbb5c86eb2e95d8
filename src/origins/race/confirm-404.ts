/**
 * A 404 that means bad credentials.
 *
 * GitLab and Artifactory answer 404 to whoever may not know of a module, so when a token expires
 * every private module is "not found", and a go command would name it to its next proxy. An origin
 * that has credentials and a configured `probe` is asked for that file before its 404 counts: if it
 * does not give that one either, it is an outage of this origin. The outcome counts for a minute, so
 * a 404 costs one request more at most once a minute and isolate.
 */
import type { Access } from '../health/access.ts';
import { TRIAL_LIMIT_MS } from '../health/registry.ts';
import type { Origin } from '../origin.ts';
import { askKnownFile, type KnownFileEffects } from '../probe/known-file.ts';
import type { ProbeFile } from '../probe/probe-files.ts';
import type { Attempt } from '../request/attempt.ts';

export interface ConfirmEffects extends KnownFileEffects {
  /** When there has to be an answer, in milliseconds since the epoch. */
  readonly deadline: number;
  readonly signal?: AbortSignal | undefined;
}

/** How often a request looks whether another one has found out. */
const POLL_MS = 50;

/** The attempt, or a failure in place of a 404 that the origin gives for whatever it has. */
export async function confirmMissing<T>(
  origin: Origin,
  result: Attempt<T>,
  effects: ConfirmEffects,
): Promise<Attempt<T>> {
  if (result.kind !== 'missing' || result.missing.status === 403) return result;
  const isDoubtful = origin.authorization !== undefined && origin.probe !== undefined;
  const file = isDoubtful ? effects.health.knownFileOf(origin) : undefined;
  if (!file || (await accessTo(origin, file, effects)) === 'granted') return result;
  const { status } = result.missing;
  return {
    kind: 'failed',
    failure: { origin: origin.name, reason: { kind: 'no access', status } },
  };
}

/** Nothing waits for the promise of another request, which workerd may never settle. */
async function accessTo(origin: Origin, file: ProbeFile, effects: ConfirmEffects): Promise<Access> {
  const { clock, deadline, health, signal } = effects;
  const isOver = () => signal?.aborted || clock.steady() >= deadline;
  for (;;) {
    const known = health.access.of(origin, clock.steady());
    if (known) return known;
    if (health.access.claim(origin, clock.steady())) break;
    await clock.sleep(POLL_MS, signal).catch(() => undefined);
    if (isOver()) return 'unknown';
  }
  const limitMs = Math.min(TRIAL_LIMIT_MS, deadline - clock.steady());
  const { result } = await askKnownFile(origin, file, { ...effects, lane: 'reach', limitMs });
  const access = accessBy(result);
  health.access.record(origin, access, clock.steady());
  return access;
}

function accessBy(result: Attempt<unknown>): Access {
  if (result.kind === 'accepted') return 'granted';
  if (result.kind === 'missing') return 'refused';
  const { reason } = result.failure;
  return reason.kind === 'status' && reason.status < 500 ? 'refused' : 'unknown';
}
