/** Runs work, and lets it wait while `limit` others run. Resolves and rejects as the work does. */
export type InTurn = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets at most `limit` works run at once, in the order in which they come. */
export function atMost(limit: number): InTurn {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running < limit) running += 1;
    else await new Promise<void>((start) => void waiting.push(start));
    try {
      return await work();
    } finally {
      const next = waiting.shift(); // takes the place of this one
      if (next) next();
      else running -= 1;
    }
  };
}
