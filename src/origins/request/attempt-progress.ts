import type { Clock } from '../../effects/clock.ts';

/** The progress of one request to an origin, read by others while it runs. */
export class AttemptProgress {
  /**
   * Since when the origin has kept modferry waiting, in milliseconds since the epoch; undefined
   * while modferry itself is at work, and while the request waits for a connection.
   */
  waitingSince: number | undefined;
  /** How long the headers of the answer took; undefined until they have arrived. */
  headersMs: number | undefined;
  /** Bytes of the body that arrived, counted by completed reads. */
  bytes = 0;
  /** When the request had its connection; undefined while it waits for one. */
  #connectedAt: number | undefined;
  readonly #clock: Pick<Clock, 'steady'>;

  constructor(clock: Pick<Clock, 'steady'>) {
    this.#clock = clock;
  }

  /** Whether the request was sent: until then it shows nothing of its origin. */
  get isConnected(): boolean {
    return this.#connectedAt !== undefined;
  }

  /** How long the origin has kept modferry waiting for its headers or for the next bytes. */
  get waitingMs(): number {
    return this.waitingSince === undefined
      ? 0
      : Math.max(this.#clock.steady() - this.waitingSince, 0);
  }

  /** The time since the headers. */
  get bodyMs(): number {
    return this.headersMs === undefined ? 0 : Math.max(this.#sinceConnectedMs - this.headersMs, 0);
  }

  get #sinceConnectedMs(): number {
    const now = this.#clock.steady();
    return Math.max(now - (this.#connectedAt ?? now), 0); // clocks may step back
  }

  /** A connection is free, and the request is sent. */
  connected(): void {
    this.#connectedAt = this.#clock.steady();
    this.waitingSince = this.#connectedAt;
  }

  headersArrived(): void {
    this.headersMs = this.#sinceConnectedMs;
    this.waitingSince = undefined;
  }

  readStarted(): void {
    this.waitingSince = this.#clock.steady();
  }

  readEnded(bytes: number): void {
    this.waitingSince = undefined;
    this.bytes += bytes;
  }
}
