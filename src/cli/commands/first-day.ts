import type { Command } from 'commander';
import { CommandError } from '../terminal/command-error.ts';

const NOTES = `
With npm: npm run first-day -- https://go.example.com

It asks as a go command does, for some twenty small files. docs/first-day.md
explains each line, and has the checks that nobody can run from outside.
With ACCESS=private it needs a token of scope read in MODFERRY_TOKEN.

Exit code: 0 nothing is bad; 1 something is.`;

interface Flags {
  readonly module: string;
  readonly large?: string;
}

/** Adds the command `first-day`. */
export function registerFirstDay(program: Command): void {
  program
    .command('first-day')
    .description('Checks a new deployment for what only the real platform shows.')
    .argument('<address>', 'of the deployment, such as https://go.example.com')
    .option('--module <path>', 'a public module of ten versions or more', 'golang.org/x/text')
    .option('--large <module@version>', 'also fetch this zip, of 100 MB or more')
    .addHelpText('after', NOTES)
    .action(async (address: string, { large, module }: Flags) => {
      // Not needed for the help.
      const [{ firstDay }, { parseSubject }] = await Promise.all([
        import('../first-day/start.ts'),
        import('../first-day/subject.ts'),
      ]);
      const subject = parseSubject({ address, module, large });
      if (!subject.ok) throw new CommandError(subject.reason, 1);
      const isRight = await firstDay(subject.value, process.env['MODFERRY_TOKEN'] || undefined);
      process.exitCode = isRight ? 0 : 1;
    });
}
