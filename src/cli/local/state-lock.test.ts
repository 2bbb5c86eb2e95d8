import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lockState } from './state-lock.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'modferry-lock-'));
});
afterEach(() => rm(directory, { recursive: true }));

const LOCK = pathToFileURL(join(import.meta.dirname, 'state-lock.ts')).href;

/** Takes the lock in a process of its own, which prints the result and then runs `then`. */
async function lockInProcess(then = '', waitMs = 0): Promise<unknown> {
  const script = `
    const { lockState } = await import(${JSON.stringify(LOCK)});
    const lock = await lockState(${JSON.stringify(directory)}, ${waitMs});
    console.log(JSON.stringify({ ok: lock.ok, reason: lock.reason }));
    ${then}`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  const { stdout } = await run.catch((error: unknown) => error as { readonly stdout: string });
  return JSON.parse(stdout);
}

it('a directory that a process uses is refused to another one, with its id', async () => {
  const lock = await lockState(directory);
  expect(await lockInProcess()).toEqual({
    ok: false,
    reason: `process ${process.pid} uses it: end that one, or name another directory`,
  });
  if (lock.ok) lock.value.release();
  expect(await lockInProcess()).toEqual({ ok: true });
});

it('a directory that is given up meanwhile is waited for', async () => {
  const lock = await lockState(directory);
  const other = lockInProcess('', 60_000);
  setTimeout(() => lock.ok && lock.value.release(), 1_000);
  expect(await other).toEqual({ ok: true });
});

it.each(['a directory', 'no database'])(
  'a lock that is %s is told, and nobody blamed',
  async (what) => {
    const lock = join(directory, 'lock');
    await (what === 'a directory' ? mkdir(lock) : writeFile(lock, 'x'.repeat(200)));
    const result = await lockState(directory, 0);
    expect(result).toMatchObject({ ok: false });
    expect(!result.ok && result.reason).toMatch(/^cannot lock the file "lock" in it: /);
  },
);

it('the lock of a process that was killed is free at once', async () => {
  expect(await lockInProcess("process.kill(process.pid, 'SIGKILL');")).toEqual({ ok: true });
  const lock = await lockState(directory);
  expect(lock.ok).toBe(true);
  if (lock.ok) lock.value.release();
});

it('the id of a living process that has no lock blocks nobody', async () => {
  await writeFile(join(directory, 'lock.pid'), String(process.ppid));
  const lock = await lockState(directory);
  expect(lock.ok).toBe(true);
  if (lock.ok) lock.value.release();
});
