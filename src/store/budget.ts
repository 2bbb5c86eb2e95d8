import type { Clock } from '../clock.ts';

/** What requests may hold together of an isolate's 128 MB: an answer is in memory twice while it is copied out. */
const MAX_HELD_BYTES = 48 * 1024 * 1024;

/** Milliseconds between two looks at whether memory came free. */
const LOOK_AGAIN = 50;

/**
 * The bytes that the requests of an isolate may hold in memory together. An isolate has 128 MB for all of them, and a go
 * command fetches many zips at once: whoever gets nothing here streams in small pieces instead, or waits.
 */
export class Budget {
  #left: number;

  constructor(bytes = MAX_HELD_BYTES) {
    this.#left = bytes;
  }

  /** Takes `bytes` if there are that many left; give them back with `release`. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  release(bytes: number): void {
    this.#left += bytes;
  }

  /** Does `work` while it holds `bytes`, as soon as there are that many. `bytes` must fit in the whole budget. */
  async holding<T>(bytes: number, clock: Clock, work: () => Promise<T>): Promise<T> {
    // Looking again, and no queue: a promise that another request resolves is nothing to rely on.
    while (!this.take(bytes)) await clock.sleep(LOOK_AGAIN);
    try {
      return await work();
    } finally {
      this.release(bytes);
    }
  }
}
