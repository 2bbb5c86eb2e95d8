import { resolve } from 'node:path';
import { parseConfig } from '../config.ts';
import { ConfigurationError, localVariables, startLocally } from './local.ts';

/**
 * `npm start`: modferry on this machine, in workerd with local R2, KV and Cache API. PORT, STATE_DIR and every variable of
 * wrangler.toml can be set in the environment.
 */
async function main(): Promise<void> {
  const port = parsePort(process.env['PORT'] || '8787');
  const stateDirectory = resolve(process.env['STATE_DIR'] || '.modferry');
  const variables = localVariables(process.env);
  const parsed = parseConfig(variables);
  if (parsed.kind === 'valid') for (const warning of parsed.config.warnings) console.warn(`Note: ${warning}`);

  const { miniflare, url } = await startLocally({ port, stateDirectory, variables });
  const stop = () => {
    miniflare.dispose().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);

  console.log(`modferry listens on ${url.origin} and keeps its files in ${stateDirectory}`);
  console.log(`Paste this line:  go env -w GOPROXY=${url.origin}`);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw new ConfigurationError([`Cannot use PORT ${JSON.stringify(text)}: it is a number from 0 to 65535`]);
  }
  return port;
}

main().catch((error: unknown) => {
  if (!(error instanceof ConfigurationError)) throw error;
  console.error('modferry does not start:');
  for (const problem of error.problems) console.error(`  ${problem}`);
  process.exit(1);
});
