import type { Clock } from '../clock.ts';
import type { StoreKey } from '../store/key.ts';
import type { Origin } from './origin.ts';

/** Milliseconds in which an origin that gave a wrong file is the last one to be asked for it again. */
const SET_ASIDE = 10 * 60_000;

/** More than this many wrong files at a time mean an attack or a broken origin: the oldest are forgotten. */
const MAX_ENTRIES = 1000;

/**
 * Which origins gave a wrong file, for a while: in this isolate alone, as another one finds out by itself, at the cost of one
 * request.
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

  /** Whether an origin gave this file wrong. */
  has(key: StoreKey, origin: string): boolean {
    return this.#end(key, origin) > this.#clock.now();
  }

  /**
   * `origins` with those that gave a wrong file last, the one of longest ago first. They are not left out: one may have been
   * mended while the others are down, and where the others have no such file, the wrong one is no reason to say so.
   */
  order(key: StoreKey, origins: readonly Origin[]): readonly Origin[] {
    const end = ({ name }: Origin) => (this.has(key, name) ? this.#end(key, name) : 0);
    return origins.toSorted((a, b) => end(a) - end(b));
  }

  #end(key: StoreKey, origin: string): number {
    return this.#until.get(entryOf(key, origin)) ?? 0;
  }
}

function entryOf(key: StoreKey, origin: string): string {
  return `${origin} ${key}`;
}
