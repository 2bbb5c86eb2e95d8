import type { Clock } from '../../../src/effects/clock.ts';

/** A clock that only the test moves. */
export interface FakeClock extends Clock {
  /**
   * Advances the time by `ms` milliseconds and ends the sleeps that are due, in order. Resolves
   * when no promise can settle without further time or I/O.
   */
  advance(ms: number): Promise<void>;
  /** Moves the wall clock alone, forward or back: no time passes. */
  step(ms: number): void;
  /** Milliseconds until each pending sleep ends, in ascending order. */
  readonly alarms: readonly number[];
}

interface Sleeper {
  readonly due: number;
  readonly wake: () => void;
}

/** A clock that starts at `start`, in milliseconds since the epoch. */
export function fakeClock(start = Date.UTC(2026, 0, 1)): FakeClock {
  let now = start;
  let stepped = 0;
  let sleepers: Sleeper[] = [];

  function wakeNext(until: number): boolean {
    const next = sleepers.toSorted((a, b) => a.due - b.due)[0];
    if (!next || next.due > until) return false;
    now = Math.max(now, next.due);
    next.wake();
    return true;
  }

  function alarm(ms: number, ring: () => void): () => void {
    const forget = () => (sleepers = sleepers.filter((other) => other !== sleeper));
    const sleeper: Sleeper = {
      due: now + ms,
      wake() {
        forget();
        ring();
      },
    };
    sleepers.push(sleeper);
    return forget;
  }

  return {
    now: () => now + stepped,
    steady: () => now,
    step: (ms) => void (stepped += ms),
    alarm,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        const abort = () => {
          cancel();
          reject(signal?.reason);
        };
        const cancel = alarm(ms, () => {
          signal?.removeEventListener('abort', abort);
          resolve();
        });
        signal?.addEventListener('abort', abort, { once: true });
      }),
    async advance(ms) {
      const until = now + ms;
      await settled();
      while (wakeNext(until)) await settled();
      now = until;
      await settled();
    },
    get alarms() {
      return sleepers.map(({ due }) => due - now).toSorted((a, b) => a - b);
    },
  };
}

/** A clock whose sleeps end at once. Its time stands still by default. */
export function impatientClock(now: Clock['now'] = () => 0): Clock {
  return {
    now,
    steady: now,
    alarm(_, ring) {
      const immediate = setImmediate(ring);
      return () => clearImmediate(immediate);
    },
    sleep: () => Promise.resolve(),
  };
}

/** Resolves when every promise that needs no I/O has settled. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
