const INTERVAL_MS = 250;

/**
 * Calls `onEnd` once the shell between npm and this process has ended. npm passes SIGTERM to that
 * shell alone, and dash, the `sh` of Debian and Ubuntu, ends without passing it on. A process that
 * npm did not start may outlive its parent, and is not watched.
 */
export function whenNpmShellEnds(onEnd: () => void): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const shell = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === shell) return; // the parent of an orphan is another process
    clearInterval(timer);
    onEnd();
  }, INTERVAL_MS);
  timer.unref();
}
