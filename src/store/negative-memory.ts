import type { Clock } from '../effects/clock.ts';
import type { NearStore, NegativeEntry } from './contract.ts';
import type { StoreKey } from './key.ts';

/** Longer than between the two requests of a go command, and shorter than anybody waits. */
const MAX_SECONDS = 30;

const MAX_ENTRIES = 2_000;

interface Remembered {
  readonly missing: NegativeEntry;
  readonly asOf: number;
  readonly until: number;
}

/**
 * Answers "not found" that this isolate remembers. Since Go 1.24 the go command asks twice for what
 * it does not get, and the second time must cost nothing.
 */
export class NegativeMemory {
  readonly #clock: Pick<Clock, 'now'>;
  readonly #entries = new Map<string, Remembered>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  get(key: string): Remembered | undefined {
    const entry = this.#entries.get(key);
    if (entry && this.#clock.now() < entry.until) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, missing: NegativeEntry, asOf: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { missing, asOf, until: this.#clock.now() + MAX_SECONDS * 1000 });
    if (this.#entries.size <= MAX_ENTRIES) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }
}

/** A near tier of that memory alone: it keeps no file. */
export function negativeMemory(memory: NegativeMemory): NearStore {
  return {
    label: 'memory',
    async read(key: StoreKey) {
      const entry = memory.get(key);
      return entry && { kind: 'missing', missing: entry.missing, asOf: entry.asOf };
    },
    async write() {
      // What only some people may read is kept in the durable tier alone.
    },
    async writeMissing(key, missing, { asOf }) {
      memory.set(key, missing, asOf);
    },
    remove: async (key) => memory.delete(key),
  };
}
