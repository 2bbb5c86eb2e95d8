import type { Clock } from '../effects/clock.ts';
import type { StoreKey } from '../store/key.ts';

/** Milliseconds for which an origin is asked last for a file that it served wrong. */
const ASKED_LAST_MS = 10 * 60_000;

/** More entries mean an attack or a broken origin; the oldest are dropped. */
const MAX_ENTRIES = 1000;

/**
 * The origins that recently served a wrong file, by file. Each isolate has its own record; to find
 * the same out costs another isolate one request.
 */
export class WrongFiles {
  readonly #until = new Map<string, number>();
  readonly #clock: Pick<Clock, 'steady'>;

  constructor(clock: Pick<Clock, 'steady'>) {
    this.#clock = clock;
  }

  add(key: StoreKey, origin: string): void {
    const entry = entryOf(key, origin);
    this.#until.delete(entry);
    this.#until.set(entry, this.#clock.steady() + ASKED_LAST_MS);
    const [oldest] = this.#until.keys();
    if (this.#until.size > MAX_ENTRIES && oldest !== undefined) this.#until.delete(oldest);
  }

  /**
   * Whether an origin recently served this file wrong, and is asked after its mirrors. It is not
   * excluded: its file may have been repaired while the others fail, and a 404 of the others alone
   * is not a definite answer.
   */
  has(key: StoreKey, origin: string): boolean {
    return (this.#until.get(entryOf(key, origin)) ?? 0) > this.#clock.steady();
  }
}

function entryOf(key: StoreKey, origin: string): string {
  return `${origin} ${key}`;
}
