import type { Clock } from '../../effects/clock.ts';
import type { SharedState } from '../../effects/shared-state.ts';

/** Texts in the memory of this process, which shares them with no other one. */
export function memorySharedState(clock: Pick<Clock, 'now'>): SharedState {
  const entries = new Map<string, { readonly text: string; readonly until: number }>();
  return {
    async read(name) {
      const entry = entries.get(name);
      if (entry && clock.now() < entry.until) return entry.text;
      entries.delete(name);
      return undefined;
    },
    async write(name, text, seconds) {
      entries.set(name, { text, until: clock.now() + seconds * 1000 });
    },
  };
}
