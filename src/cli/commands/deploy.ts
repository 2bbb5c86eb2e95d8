import type { Command } from 'commander';
import type { DeployFlags } from '../deploy/answers.ts';

const NOTES = `
With npm: npm run deploy -- [options]

What is neither given nor known from the last run is asked for. Without a
terminal, name it by these options or in the environment: DEPLOY_HOST,
DEPLOY_PLAN, DEPLOY_WITHOUT_R2=true, and CLOUDFLARE_API_TOKEN.

TOKENS in the environment (name:scope:token) is stored as the secret TOKENS.

Every run finds what the one before made: after a failure, mend what the message
names and run it again.`;

/** Adds the command `deploy`. */
export function registerDeploy(program: Command): void {
  program
    .command('deploy')
    .description(
      'Deploys modferry to Cloudflare Workers under a name of your own, and tries it there.',
    )
    .option('--host <name>', 'the name to serve at, such as go.example.com')
    .option('--plan <plan>', 'the plan of Workers, free or paid: decides VERIFY')
    .option('--without-r2', 'go on where R2 is not switched on')
    .option('--replace-record', 'replace a DNS record that the name has')
    .addHelpText('after', NOTES)
    .action(async (flags: DeployFlags) => {
      // Not needed for the help, and slow to load.
      const [{ runDeploy }, { processEffects }, { stopSignal }] = await Promise.all([
        import('../deploy/run-deploy.ts'),
        import('../deploy/effects.ts'),
        import('../terminal/stop.ts'),
      ]);
      // Nothing has to be tidied up, and wrangler ends with this process.
      stopSignal().addEventListener('abort', () => {
        console.error('Stopped: run it again to go on from here');
        process.exit(1);
      });
      await runDeploy(flags, processEffects());
    });
}
