import { createInterface } from 'node:readline/promises';
import { CommandError } from './command-error.ts';

/**
 * Asks a question on the terminal. Resolves with the answer without the spaces around it, and
 * rejects with `CommandError` at Ctrl-C and Ctrl-D.
 */
export type Ask = (question: string) => Promise<string>;

/** Asks on the terminal of this process; undefined where there is none. */
export function terminalAsk(): Ask | undefined {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return undefined;
  return async (question) => {
    const terminal = createInterface({ input: stdin, output: stdout });
    const closed = new Promise<never>((_, reject) => {
      terminal.once('close', () => reject(new CommandError('\nNo answer was given', 1)));
    });
    closed.catch(() => undefined); // also closed after an answer
    try {
      return (await Promise.race([terminal.question(question), closed])).trim();
    } finally {
      terminal.close();
    }
  };
}
