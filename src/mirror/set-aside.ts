import type { Clock } from '../effects/clock.ts';
import type { StoreKey } from '../store/key.ts';

/**
 * Milliseconds in which an origin that gave a wrong file is the last one to be asked for it again.
 */
const SET_ASIDE = 10 * 60_000;

/**
 * More than this many wrong files at a time mean an attack or a broken origin: the oldest are
 * forgotten.
 */
const MAX_ENTRIES = 1000;

/**
 * Which origins gave a wrong file, for a while: in this isolate alone, as another one finds out by
 * itself, at the cost of one request.
 */
export class SetAside {
  readonly #until = new Map<string, number>();
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  add(key: StoreKey, origin: string): void {
    const entry = entryOf(key, origin);
    this.#until.delete(entry);
    this.#until.set(entry, this.#clock.now() + SET_ASIDE);
    if (this.#until.size <= MAX_ENTRIES) return;
    for (const oldest of this.#until.keys()) {
      this.#until.delete(oldest);
      return;
    }
  }

  /**
   * Whether an origin gave this file wrong, and is to be asked after its mirrors. It is not left
   * out: it may have been mended while the others are down, and where they have no such file, the
   * wrong one is no reason to say so.
   */
  has(key: StoreKey, origin: string): boolean {
    return (this.#until.get(entryOf(key, origin)) ?? 0) > this.#clock.now();
  }
}

function entryOf(key: StoreKey, origin: string): string {
  return `${origin} ${key}`;
}
