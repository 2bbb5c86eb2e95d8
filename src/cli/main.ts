import { Command, CommanderError } from 'commander';
import { registerAudit } from './commands/audit.ts';
import { registerDeploy } from './commands/deploy.ts';
import { registerFirstDay } from './commands/first-day.ts';
import { registerPublish } from './commands/publish.ts';
import { registerStart } from './commands/start.ts';
import { CommandError } from './terminal/command-error.ts';

/** The exit code for a command line that cannot be understood. */
const WRONG_USAGE = 2;

const program = new Command('modferry')
  .description('A Go module proxy (GOPROXY) and checksum database mirror of your own.')
  .exitOverride()
  .configureOutput({
    outputError: (text, write) =>
      write(`${text.trim().replace(/\.$/, '').replaceAll('\n', ' ')}; --help lists the options\n`),
  });

registerStart(program);
registerAudit(program);
registerDeploy(program);
registerFirstDay(program);
registerPublish(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : WRONG_USAGE; // help is no error
  } else if (error instanceof CommandError) {
    console.error(error.message);
    process.exit(error.exitCode);
  } else throw error;
}
