import type { Clock } from '../clock.ts';
import type { StoreKey } from '../store/key.ts';
import type { Origin } from './origin.ts';

/** Milliseconds in which an origin that gave a wrong file is not asked for it again, as long as another one can be. */
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
   * `origins` without those that gave a wrong file. If none would be left it is all of them, as one may have been mended, the one that
   * was wrong longest ago first.
   */
  without(key: StoreKey, origins: readonly Origin[]): readonly Origin[] {
    const left = origins.filter(({ name }) => !this.has(key, name));
    if (left.length > 0) return left;
    return origins.toSorted((a, b) => this.#end(key, a.name) - this.#end(key, b.name));
  }

  #end(key: StoreKey, origin: string): number {
    return this.#until.get(entryOf(key, origin)) ?? 0;
  }
}

function entryOf(key: StoreKey, origin: string): string {
  return `${origin} ${key}`;
}
