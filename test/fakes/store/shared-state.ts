import type { Clock } from '../../../src/effects/clock.ts';
import type { SharedState } from '../../../src/effects/shared-state.ts';

export interface MemoryShared extends SharedState {
  /** What it holds, by name, whether its time is over or not. */
  readonly texts: Map<string, { readonly text: string; readonly until: number }>;
  readonly counts: { reads: number; writes: number };
  /** What every call waits for, or fails with, until it is `undefined` again. */
  trouble: Promise<never> | undefined;
}

/** Texts in memory, whose time ends by `clock`. */
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
