import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { failed, type Result, success } from '../../effects/result.ts';
import { messageOf } from '../terminal/message.ts';

/** The right to write below a state directory. It ends with the process, also by SIGKILL. */
export interface StateLock {
  release(): void;
}

/** npm ends up to half a second before the run that it started, and may be started again at once. */
const WAIT_MS = 5_000;

/**
 * Takes the lock of a state directory, for which it waits some seconds, or says which process has it. Two runs on one directory
 * would break each other's uploads.
 *
 * It is the lock of an empty SQLite database: the operating system gives it up when its process
 * ends. A file with a process id alone would block after a SIGKILL, as soon as another process has
 * the id, which is the rule in containers.
 */
export async function lockState(
  stateDirectory: string,
  waitMs = WAIT_MS,
): Promise<Result<StateLock>> {
  const pidFile = join(stateDirectory, 'lock.pid');
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(stateDirectory, 'lock'), { timeout: waitMs });
    database.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if (!isBusy(error)) return failed(`cannot lock the file "lock" in it: ${messageOf(error)}`);
    const pid = await readFile(pidFile, 'utf8').catch(() => '');
    return failed(
      `process ${pid || 'of an unknown id'} uses it: end that one, or name another directory`,
    );
  }
  await writeFile(pidFile, String(process.pid)).catch(() => undefined); // only a message needs it
  return success({ release: () => database.close() });
}

/** SQLITE_BUSY: another process has the lock. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5;
}
