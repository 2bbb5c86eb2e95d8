import { access, constants, mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseConfig } from '../../config/config.ts';
import { buildWorker } from './build.ts';
import { localVariables, startLocally } from './local.ts';
import { CommandError } from '../terminal/command-error.ts';
import { hasCode, messageOf } from '../terminal/message.ts';
import { whenNpmShellEnds } from '../terminal/npm-shell.ts';

/**
 * Runs modferry in workerd until a signal ends it. Throws `CommandError` with every problem that
 * keeps it from starting.
 */
export async function startProxy(): Promise<void> {
  const portText = process.env['PORT'] || '8787';
  const port = parsePort(portText);
  const stateDirectory = resolve(process.env['STATE_DIR'] || '.modferry');
  const variables = localVariables(process.env);
  const config = parseConfig(variables);
  const problems = [
    ...(port === undefined
      ? [`Cannot use PORT ${JSON.stringify(portText)}: it is a number from 0 to 65535`]
      : []),
    ...(await stateProblems(stateDirectory)),
    ...(config.ok ? [] : config.reason),
  ];
  if (port === undefined || problems.length > 0) throw doesNotStart(problems);
  if (config.ok) for (const warning of config.value.warnings) console.warn(`Note: ${warning}`);

  // workerd ends with this process; a build that still runs is ended here.
  const stopped = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.abort());
  whenNpmShellEnds(() => stopped.abort());
  const script = await buildWorker({ signal: stopped.signal }).catch((error: unknown) => {
    if (stopped.signal.aborted) process.exit(0);
    throw error;
  });
  if (stopped.signal.aborted) process.exit(0);
  stopped.signal.addEventListener('abort', () => process.exit(0));
  const { url } = await startLocally({ port, stateDirectory, variables, script }).catch(
    (error: unknown) => {
      throw hasCode(error, 'ERR_ADDRESS_IN_USE') ? doesNotStart([portInUse(port)]) : error;
    },
  );

  console.log(`modferry listens on ${url.origin} and keeps its files in ${stateDirectory}`);
  console.log(`Paste this line:  go env -w GOPROXY=${url.origin}`);
}

function parsePort(text: string): number | undefined {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port <= 65_535 ? port : undefined;
}

/** Makes the directory where it is missing. Returns why it cannot be written to, or nothing. */
async function stateProblems(directory: string): Promise<readonly string[]> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK | constants.X_OK);
    return [];
  } catch (error) {
    const why = messageOf(error);
    return [
      `Cannot use STATE_DIR ${JSON.stringify(directory)}: it is no directory to write to (${why})`,
    ];
  }
}

function portInUse(port: number): string {
  return `Cannot use PORT "${port}": another program listens on it`;
}

function doesNotStart(problems: readonly string[]): CommandError {
  const lines = ['modferry does not start:', ...problems.map((problem) => `  ${problem}`)];
  return new CommandError(lines.join('\n'), 1);
}
