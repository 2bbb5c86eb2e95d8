/**
 * The connections of an invocation that wait for response headers: so many at a time, and the next
 * ones in the order of their requests.
 */
export class Connections {
  #free: number;
  #mostWaiting = 0;
  readonly #queue: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** The longest that the queue ever was. */
  get mostWaiting(): number {
    return this.#mostWaiting;
  }

  /** Resolves when a connection is free. Rejects with the signal's reason where it is aborted. */
  async take(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const start = () => {
        signal?.removeEventListener('abort', abort);
        resolve();
      };
      const abort = () => {
        this.#queue.splice(this.#queue.indexOf(start), 1);
        reject(signal?.reason);
      };
      this.#queue.push(start);
      this.#mostWaiting = Math.max(this.#mostWaiting, this.#queue.length);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** Gives a connection to the first one of the queue. */
  release(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.#free += 1;
  }
}
