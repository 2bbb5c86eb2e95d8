import { inspect } from 'node:util';
import type { Command } from 'commander';
import { NOT_COMPLETED } from '../audit/exit-code.ts';
import type { AuditFlags } from '../audit/run-audit.ts';
import { CommandError } from '../terminal/command-error.ts';

const NOTES = `
With npm: npm run audit -- [options] [directory]

SUMDBS, PRIVATE and the TIMEOUT variables are read from wrangler.toml and the
environment, as by "npm start".

Exit code: 0 nothing is wrong; 1 something is wrong, or was and is removed; 2 the
audit could not be completed, or a database that --online should ask could not
be asked.`;

/** Adds the command `audit`. */
export function registerAudit(program: Command): void {
  program
    .command('audit')
    .description(
      'Recomputes the hash of every stored file, and compares it with the checksum database.',
    )
    .argument(
      '[directory]',
      [
        'in the layout of $GOMODCACHE/cache/download: a copy of a bucket, or a module cache of the',
        'go command. Without it, the bucket of "npm start" in STATE_DIR (default .modferry) is',
        'audited; stop "npm start" before',
      ].join(' '),
    )
    .option(
      '--fix',
      'remove what is wrong, when everything was read; modferry then fetches it anew',
    )
    .option(
      '--online',
      [
        'also ask the checksum databases for what is not stored; default: what is stored, and no',
        'network',
      ].join(' '),
    )
    .option('--json <file>', 'write the report as JSON too')
    .option(
      '--state <file>',
      [
        'keep the progress in this file, default STATE_DIR/audit.json: the same command goes on',
        'from there',
      ].join(' '),
    )
    .option('--restart', 'start anew instead')
    .addHelpText('after', NOTES)
    .allowExcessArguments()
    .action(async (directory: string | undefined, flags: AuditFlags, { args }: Command) => {
      const [, second] = args;
      if (second !== undefined) {
        const why = `Cannot audit ${JSON.stringify(second)}: name one directory at a time`;
        throw new CommandError(why, NOT_COMPLETED);
      }
      try {
        // Not needed for the help, and slow to load.
        const { runAudit } = await import('../audit/run-audit.ts');
        process.exitCode = await runAudit(directory, flags);
      } catch (error) {
        if (error instanceof CommandError) throw error;
        throw new CommandError(inspect(error), NOT_COMPLETED, { cause: error });
      }
    });
}
