import { access, constants, mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseConfig } from '../../config/config.ts';
import { buildWorker } from '../local/build.ts';
import { ConfigurationError, localVariables, startLocally } from '../local/local.ts';

/**
 * `npm start`: modferry on this machine, in workerd with local R2, KV and Cache API. PORT,
 * STATE_DIR and every variable of wrangler.toml can be set in the environment.
 */
async function main(): Promise<void> {
  const portText = process.env['PORT'] || '8787';
  const port = parsePort(portText);
  const stateDirectory = resolve(process.env['STATE_DIR'] || '.modferry');
  const variables = localVariables(process.env);
  const parsed = parseConfig(variables);
  const problems = [
    ...(port === undefined
      ? [`Cannot use PORT ${JSON.stringify(portText)}: it is a number from 0 to 65535`]
      : []),
    ...(await stateProblems(stateDirectory)),
    ...(parsed.ok ? [] : parsed.reason),
  ];
  if (port === undefined || problems.length > 0) throw new ConfigurationError(problems);
  if (parsed.ok) for (const warning of parsed.value.warnings) console.warn(`Note: ${warning}`);

  // Miniflare ends workerd with this process; what is being built until then is ended here.
  const stopped = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stopped.abort());
  const script = await buildWorker(stopped.signal).catch((error: unknown) => {
    if (stopped.signal.aborted) process.exit(0);
    throw error;
  });
  if (stopped.signal.aborted) process.exit(0);
  stopped.signal.addEventListener('abort', () => process.exit(0));
  const { url } = await startLocally({ port, stateDirectory, variables, script }).catch(
    (error: unknown) => {
      throw isAddressInUse(error) ? new ConfigurationError([portInUse(port)]) : error;
    },
  );

  console.log(`modferry listens on ${url.origin} and keeps its files in ${stateDirectory}`);
  console.log(`Paste this line:  go env -w GOPROXY=${url.origin}`);
}

function parsePort(text: string): number | undefined {
  const port = Number(text);
  return /^\d{1,5}$/.test(text) && port <= 65_535 ? port : undefined;
}

/** Makes the directory where it is missing. What keeps it from being written to, or nothing. */
async function stateProblems(directory: string): Promise<readonly string[]> {
  try {
    await mkdir(directory, { recursive: true });
    await access(directory, constants.W_OK | constants.X_OK);
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [
      `Cannot use STATE_DIR ${JSON.stringify(directory)}: it is no directory to write to (${why})`,
    ];
  }
}

function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_ADDRESS_IN_USE';
}

/** When node alone is killed (`kill -9`), its workerd lives on and keeps the port. */
function portInUse(port: number): string {
  return `Cannot use PORT "${port}": another program listens on it, perhaps the workerd of an earlier start`;
}

main().catch((error: unknown) => {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error('modferry does not start:');
  for (const problem of error.problems) console.error(`  ${problem}`);
  process.exit(1);
});
