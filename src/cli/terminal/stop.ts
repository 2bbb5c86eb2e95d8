import { whenNpmShellEnds } from './npm-shell.ts';

/**
 * On Ctrl-C a terminal and npm both send the signal, at most this far apart. A later one is from a
 * second key press.
 */
const SAME_KEY_MS = 1_000;

/**
 * Aborted by the first SIGINT or SIGTERM, or when npm is ended. The second signal ends the process
 * at once.
 */
export function stopSignal(): AbortSignal {
  const stopped = new AbortController();
  let first: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // Miniflare's own listener ends the process before the progress is saved.
    process.removeAllListeners(signal);
    process.on(signal, () => {
      const now = Date.now();
      first ??= now;
      if (now - first > SAME_KEY_MS) process.exit(2);
      stopped.abort();
    });
  }
  whenNpmShellEnds(() => stopped.abort());
  return stopped.signal;
}
