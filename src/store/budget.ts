/**
 * The bytes that the requests of an isolate may hold in memory together. An isolate has 128 MB for all of them, and a go
 * command fetches many zips at once: whoever gets nothing here streams in small pieces instead.
 */
export class Budget {
  #left: number;

  constructor(bytes: number) {
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
}
