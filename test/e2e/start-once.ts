// Runs `npm start` as a user does, waits until /healthz is 200, and ends it. For systems on which
// the tests of the process do not run.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { platform } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const PORT = process.env['PORT'] ?? '8787';
const LIMIT_MS = 60_000;
const WINDOWS = platform() === 'win32';

const npm = spawn('npm start', {
  shell: true, // on Windows npm is a batch file
  stdio: 'inherit',
  env: { ...process.env, PORT },
  detached: !WINDOWS, // a process group of its own
});
const exited = once(npm, 'exit');
const limit = AbortSignal.timeout(LIMIT_MS);
const outcome = await Promise.race([
  untilHealthy(limit),
  exited.then(([code]) => `npm start ended with ${String(code)}`),
]);
end();
await exited;
console.log(outcome);
process.exit(outcome === 'healthy' ? 0 : 1);

async function untilHealthy(signal: AbortSignal): Promise<string> {
  while (!signal.aborted) {
    const response = await fetch(`http://127.0.0.1:${PORT}/healthz`).catch(() => undefined);
    if (response?.status === 200) return 'healthy';
    await delay(250);
  }
  return `Not healthy after ${LIMIT_MS / 1000} s`;
}

function end(): void {
  const { pid, exitCode } = npm;
  if (pid === undefined || exitCode !== null) return;
  if (WINDOWS) spawnSync('taskkill', ['/pid', String(pid), '/t', '/f']);
  else process.kill(-pid, 'SIGTERM');
}
