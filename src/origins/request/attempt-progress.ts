import type { Clock } from '../../effects/clock.ts';

/** How a request to an origin goes, seen while it runs. */
export class Vitals {
  /**
   * Since when the origin keeps us waiting, in milliseconds since the epoch; undefined while it is
   * our turn.
   */
  waitingSince: number | undefined;
  /** Milliseconds until the headers of the answer were there. */
  headersAfter: number | undefined;
  /** Bytes of the body that came so far, counted by completed reads. */
  bytes = 0;
  readonly started: number;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
    this.started = clock.now();
    this.waitingSince = this.started;
  }

  /** Milliseconds that the origin has kept us waiting for its next sign of life. */
  get silence(): number {
    return this.waitingSince === undefined ? 0 : Math.max(this.#clock.now() - this.waitingSince, 0);
  }

  /** Milliseconds since the headers. */
  get bodyMs(): number {
    return this.headersAfter === undefined
      ? 0
      : Math.max(this.#clock.now() - this.started - this.headersAfter, 0);
  }

  headersCame(): void {
    this.headersAfter = Math.max(this.#clock.now() - this.started, 0); // clocks may step back
    this.waitingSince = undefined;
  }

  readBegins(): void {
    this.waitingSince = this.#clock.now();
  }

  readEnds(bytes: number): void {
    this.waitingSince = undefined;
    this.bytes += bytes;
  }
}
