import type { Clock } from '../effects/clock.ts';
import type { StoreKey } from '../store/key.ts';

/** Milliseconds in which an origin that gave a wrong file is asked last for it. */
const ASKED_LAST_MS = 10 * 60_000;

/** More wrong files at a time mean an attack or a broken origin: the oldest are forgotten. */
const MAX_ENTRIES = 1000;

/**
 * Which origins gave a wrong file of late. In this isolate alone: another one finds out by itself,
 * at the cost of one request.
 */
export class WrongFiles {
  readonly #until = new Map<string, number>();
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  add(key: StoreKey, origin: string): void {
    const entry = entryOf(key, origin);
    this.#until.delete(entry);
    this.#until.set(entry, this.#clock.now() + ASKED_LAST_MS);
    const [oldest] = this.#until.keys();
    if (this.#until.size > MAX_ENTRIES && oldest !== undefined) this.#until.delete(oldest);
  }

  /**
   * Whether an origin gave this file wrong, and is to be asked after its mirrors. It is not left
   * out: its file may have been mended while the others are down, and where the others have no such
   * file, that is no answer either.
   */
  has(key: StoreKey, origin: string): boolean {
    return (this.#until.get(entryOf(key, origin)) ?? 0) > this.#clock.now();
  }
}

function entryOf(key: StoreKey, origin: string): string {
  return `${origin} ${key}`;
}
