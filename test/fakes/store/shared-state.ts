import type { Clock } from '../../../src/effects/clock.ts';
import type { SharedState } from '../../../src/effects/shared-state.ts';

export interface MemoryShared extends SharedState {
  /** The texts by name, expired ones included. `until` is in milliseconds since the epoch. */
  readonly texts: Map<string, { readonly text: string; readonly until: number }>;
  readonly counts: { reads: number; writes: number };
  /**
   * Every call awaits this while it is set: a rejection makes calls fail, a pending promise makes
   * them hang.
   */
  trouble: Promise<never> | undefined;
}

/** Shared texts in memory, which expire by `clock`. */
export function memoryShared(clock: Pick<Clock, 'now'>): MemoryShared {
  const texts: MemoryShared['texts'] = new Map();
  const counts = { reads: 0, writes: 0 };
  return {
    texts,
    counts,
    trouble: undefined,
    async read(name) {
      counts.reads += 1;
      await this.trouble;
      const found = texts.get(name);
      return found && clock.now() < found.until ? found.text : undefined;
    },
    async write(name, text, seconds) {
      counts.writes += 1;
      await this.trouble;
      texts.set(name, { text, until: clock.now() + seconds * 1000 });
    },
  };
}
