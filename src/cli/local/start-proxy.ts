import { type Config, parseConfig } from '../../config/config.ts';
import { type Parsed, problemsOf } from '../../config/problems.ts';
import type { Variables } from '../../config/variables.ts';
import { failed, success } from '../../effects/result.ts';
import { CommandError } from '../terminal/command-error.ts';
import { hasCode, messageOf } from '../terminal/message.ts';
import { whenNpmShellEnds } from '../terminal/npm-shell.ts';
import { boundCache } from './bound-cache.ts';
import { buildWorker } from './build.ts';
import { removeAbandoned } from './clean-state.ts';
import { runCron } from './cron.ts';
import { greeting } from './greeting.ts';
import type { Local } from './local.ts';
import { openLog } from './log.ts';
import { readSettings } from './read-settings.ts';
import { parseStartOptions, type StartOptions } from './start-options.ts';
import { lockState } from './state-lock.ts';
import { localVariables } from './variables.ts';

/**
 * Runs modferry in workerd until a signal ends it. Throws `CommandError` with every problem that
 * keeps it from starting.
 */
export async function startProxy(): Promise<void> {
  // workerd ends with this process; a build that still runs is ended here.
  const stopped = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.abort());
  whenNpmShellEnds(() => stopped.abort());
  const build = buildWorker({ signal: stopped.signal });
  build.catch(() => undefined); // its failure is looked at below, once the variables are known
  const parsed = await parseEnvironment();
  if (!parsed.ok) {
    stopped.abort();
    await build.catch(() => undefined); // removes its temporary files
    throw doesNotStart(parsed.reason);
  }
  const { stateDirectory } = parsed.value;
  const lock = await lockState(stateDirectory);
  if (!lock.ok) {
    stopped.abort();
    await build.catch(() => undefined);
    throw doesNotStart([unusableState(stateDirectory, lock.reason)]);
  }
  process.once('exit', () => lock.value.release()); // also keeps it from being collected
  const script = await build.catch((error: unknown) => {
    if (stopped.signal.aborted) process.exit(0);
    throw error;
  });
  if (stopped.signal.aborted) process.exit(0);
  stopped.signal.addEventListener('abort', () => process.exit(0));
  // After the build, so that a workerd whose process was killed has ended too.
  await removeAbandoned(stateDirectory).catch((error: unknown) => {
    throw doesNotStart([unusableState(stateDirectory, messageOf(error))]);
  });
  const { miniflare, url } = await startWorkerd(parsed.value, script);

  const { worker } = await readSettings();
  const hasBucket = 'FILES' in worker.r2Buckets;
  const lines = greeting({ url: url.origin, stateDirectory, hasBucket });
  for (const line of lines) console.log(line);
  void runCron(miniflare);
  void boundCache(miniflare, stateDirectory);
}

interface Start extends StartOptions {
  readonly config: Config;
  readonly variables: Variables;
}

async function parseEnvironment(): Promise<Parsed<Start>> {
  const { env: environment, stdout } = process;
  const options = await parseStartOptions({ environment, isTerminal: stdout.isTTY });
  const variables = await localVariables(environment);
  const config = parseConfig(variables);
  if (!options.ok || !config.ok) return failed(problemsOf([options, config]));
  return success({ ...options.value, config: config.value, variables });
}

async function startWorkerd(
  { config, logFormat, variables, ...options }: Start,
  script: string,
): Promise<Local> {
  // Miniflare is large, and slow to load: not before it is known that modferry starts.
  const { startLocally } = await import('./local.ts');
  const onLog = openLog({ format: logFormat, config, write: printLine });
  const { port, stateDirectory } = options;
  try {
    return await startLocally({ ...options, variables, script, onLog });
  } catch (error) {
    if (['ERR_ADDRESS_IN_USE', 'EADDRINUSE'].some((code) => hasCode(error, code)))
      throw doesNotStart([portInUse(port)]);
    // Miniflare makes its directories below the state directory.
    const isAboutFiles = ['ENOENT', 'ENOTDIR', 'EEXIST', 'EACCES'].some((code) =>
      hasCode(error, code),
    );
    throw isAboutFiles ? doesNotStart([unusableState(stateDirectory, messageOf(error))]) : error;
  }
}

function printLine(line: string): void {
  console.log(line);
}

function portInUse(port: number): string {
  return `Cannot use PORT "${port}": another program listens on it`;
}

function unusableState(stateDirectory: string, why: string): string {
  return `Cannot use STATE_DIR ${JSON.stringify(stateDirectory)}: ${why}`;
}

function doesNotStart(problems: readonly string[]): CommandError {
  const lines = ['modferry does not start:', ...problems.map((problem) => `  ${problem}`)];
  return new CommandError(lines.join('\n'), 1);
}
