/** How long a tier has while it is silent: enough for an answer, if it gives answers again. */
const SILENT_LIMIT_MS = 500;

/** How long nothing is written after a write failed. Each further failure doubles it. */
const FIRST_PAUSE_MS = 60_000;

const DAY_MS = 86_400_000;

interface Pause {
  readonly ms: number;
  readonly until: number;
}

/**
 * What an isolate has seen of its tiers, by their labels, so that one request after the other does
 * not pay for the same outage, or log it.
 *
 * - A tier that did not answer within its time limit is silent until it answers again. It is still
 *   asked, but is given less time.
 * - A cache tier that failed to keep a file is not written to for a while, as most often it refuses
 *   every further file too: KV does when the writes of a day are used up, which is a thousand on
 *   the free plan. The pause ends at midnight UTC at the latest, when the next day of quotas
 *   begins.
 */
export class TierHealth {
  readonly #silent = new Set<string>();
  readonly #pauses = new Map<string, Pause>();

  /** The time limit of a call, in milliseconds. `usualMs` is the one of a tier that answers. */
  limitMs(label: string, usualMs: number): number {
    return this.#silent.has(label) ? Math.min(usualMs, SILENT_LIMIT_MS) : usualMs;
  }

  answered(label: string): void {
    this.#silent.delete(label);
  }

  exceededLimit(label: string): void {
    this.#silent.add(label);
  }

  isPaused(label: string, now: number): boolean {
    return now < (this.#pauses.get(label)?.until ?? 0);
  }

  wrote(label: string): void {
    this.#pauses.delete(label);
  }

  refusedWrite(label: string, now: number): void {
    const ms = (this.#pauses.get(label)?.ms ?? FIRST_PAUSE_MS / 2) * 2;
    const midnight = now - (now % DAY_MS) + DAY_MS;
    this.#pauses.set(label, { ms, until: Math.min(now + ms, midnight) });
  }
}
