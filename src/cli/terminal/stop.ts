/**
 * On Ctrl-C a terminal and npm both send the signal, this much apart at most; what comes later is
 * somebody who insists.
 */
const SAME_KEY = 1_000;

/** Aborted by the first SIGINT or SIGTERM. The second one ends the process at once. */
export function stopSignal(): AbortSignal {
  const stopped = new AbortController();
  let first: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.removeAllListeners(signal); // Miniflare's own ends the process before anything is written down
    process.on(signal, () => {
      const now = Date.now();
      first ??= now;
      if (now - first > SAME_KEY) process.exit(2);
      stopped.abort();
    });
  }
  return stopped.signal;
}
