import type { Clock } from '../../src/effects/clock.ts';
import type { Faults } from './faults.ts';
import type { PlatformLimits } from './limits.ts';

type Now = Pick<Clock, 'now'>;

/** R2 and KV accept one write a second for a key. */
const PAUSE_MS = 1000;
const DAY_MS = 86_400_000;

/** The limits of writes to one bucket and one namespace, which all invocations share. */
export class WriteLimits {
  readonly #clock: Now;
  readonly #limits: PlatformLimits;
  readonly #lastWrite = new Map<string, number>();
  #day = 0;
  #writesToday = 0;

  constructor(limits: PlatformLimits, clock: Now) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Throws where R2 answers 429. */
  writeToR2(key: string): void {
    if (this.#isTooSoon(`r2 ${key}`)) {
      throw new Error('put: Reduce your concurrent request rate for the same object. (10058)');
    }
  }

  /** Throws where KV answers 429. */
  writeToKV(key: string, { kvQuotaUsedUp }: Faults): void {
    const day = Math.floor(this.#clock.now() / DAY_MS);
    if (day !== this.#day) this.#writesToday = 0;
    this.#day = day;
    if (kvQuotaUsedUp || this.#writesToday >= this.#limits.kvWritesPerDay) {
      throw new Error('KV put() limit exceeded for the day.');
    }
    if (this.#isTooSoon(`kv ${key}`)) throw new Error('KV PUT failed: 429 Too Many Requests');
    this.#writesToday += 1;
  }

  #isTooSoon(key: string): boolean {
    const now = this.#clock.now();
    const last = this.#lastWrite.get(key);
    if (last !== undefined && now - last < PAUSE_MS) return true;
    this.#lastWrite.set(key, now);
    return false;
  }
}
