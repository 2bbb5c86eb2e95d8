/**
 * Reserved memory with several users: the write of a file to the store, and each client that is
 * sent the same bytes. It is free again when all of them are done.
 */
export class Held {
  #users = 0;
  readonly #release: () => void;

  constructor(release: () => void) {
    this.#release = release;
  }

  /** Adds a user, until the result is called. */
  use(): () => void {
    this.#users += 1;
    let isDone = false;
    return () => {
      if (isDone) return;
      isDone = true;
      this.#users -= 1;
      if (this.#users === 0) this.#release();
    };
  }

  /** Releases the memory that nobody has begun to use. */
  drop(): void {
    this.use()();
  }
}
