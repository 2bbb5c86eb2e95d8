import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { wranglerScript } from '../local/wrangler-path.ts';

export interface WranglerRun {
  readonly code: number | null;
  readonly stdout: string;
  /** Standard output and standard error, without colours. */
  readonly output: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Runs wrangler, which asks nothing because it has no terminal. */
export async function runWrangler(
  args: readonly string[],
  environment: Environment,
): Promise<WranglerRun> {
  const child = spawn(process.execPath, [wranglerScript(), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...environment,
      WRANGLER_HIDE_BANNER: 'true',
      WRANGLER_SEND_METRICS: 'false',
    },
  });
  let stdout = '';
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
    output += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await ended(child);
  // Its errors have colours, whatever the environment says.
  return { code: child.exitCode, stdout, output: stripVTControlCharacters(output) };
}

/** Runs `wrangler login` in this terminal. Resolves with whether it succeeded. */
export async function logIn(environment: Environment): Promise<boolean> {
  const child = spawn(process.execPath, [wranglerScript(), 'login'], {
    stdio: 'inherit',
    env: { ...environment, WRANGLER_SEND_METRICS: 'false' },
  });
  await ended(child);
  return child.exitCode === 0;
}

/** Waits for wrangler, which ends with this process: it would finish its upload otherwise. */
async function ended(child: ChildProcess): Promise<void> {
  const kill = () => child.kill();
  process.once('exit', kill);
  await once(child, 'close');
  process.removeListener('exit', kill);
}
