import type { Command } from 'commander';

const NOTES = `
With npm: npm start

PORT (default 8787), STATE_DIR (default .modferry), REGION (such as CN),
LOG_FORMAT (json or text), TLS_CERT and TLS_KEY (paths of PEM files, for https)
and every variable of wrangler.toml can be set in the environment.`;

/** Adds the command `start`. */
export function registerStart(program: Command): void {
  program
    .command('start')
    .description('Runs modferry on this machine, in workerd with local R2, KV and Cache API.')
    .addHelpText('after', NOTES)
    .action(async () => {
      // Not needed for the help, and slow to load.
      const { startProxy } = await import('../local/start-proxy.ts');
      await startProxy();
    });
}
