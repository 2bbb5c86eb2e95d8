import { parse, TomlError } from 'smol-toml';
import { CommandError } from '../terminal/command-error.ts';

/** What is in the text of wrangler.toml. Throws `CommandError` with the line that is wrong. */
export function parseToml(text: string): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [what = ''] = error.message.split('\n', 1); // the lines of the file follow
    const where = `line ${error.line}, column ${error.column}`;
    throw new CommandError(`Cannot use wrangler.toml: ${where}: ${what}; mend this line`, 1);
  }
}
