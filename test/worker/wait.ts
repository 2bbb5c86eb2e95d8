/** How long tests wait for what happens beside an answer: a loaded machine may need seconds. */
export const WAIT = { timeout: 15_000, interval: 20 };
