import type { Clock } from '../../effects/clock.ts';

/** The progress of one request to an origin, read by others while it runs. */
export class AttemptProgress {
  /**
   * Since when the origin has kept modferry waiting, in milliseconds since the epoch; undefined
   * while modferry itself is at work.
   */
  waitingSince: number | undefined;
  /** How long the headers of the answer took; undefined until they have arrived. */
  headersMs: number | undefined;
  /** Bytes of the body that arrived, counted by completed reads. */
  bytes = 0;
  readonly startedAt: number;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    this.startedAt = clock.now();
    this.waitingSince = this.startedAt;
  }

  /** How long the origin has kept modferry waiting for its headers or for the next bytes. */
  get waitingMs(): number {
    return this.waitingSince === undefined ? 0 : Math.max(this.#clock.now() - this.waitingSince, 0);
  }

  /** The time since the headers. */
  get bodyMs(): number {
    return this.headersMs === undefined
      ? 0
      : Math.max(this.#clock.now() - this.startedAt - this.headersMs, 0);
  }

  headersArrived(): void {
    this.headersMs = Math.max(this.#clock.now() - this.startedAt, 0); // clocks may step back
    this.waitingSince = undefined;
  }

  readStarted(): void {
    this.waitingSince = this.#clock.now();
  }

  readEnded(bytes: number): void {
    this.waitingSince = undefined;
    this.bytes += bytes;
  }
}
