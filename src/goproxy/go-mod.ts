/** A comment, a quoted string, a punctuation mark, or anything else up to one of these. */
const MOD_TOKEN = /\/\/.*|"(?:\\.|[^"\\])*"|`[^`]*`|[()[\]{},]|(?:(?!\/\/)[^\s()[\]{},])+/g;

/** The directives of one verb in a go.mod. */
export interface Directives {
  /** The tokens behind the verb of each, without quotes. */
  readonly args: readonly (readonly string[])[];
  /** Whether a block of the file is not closed. */
  readonly isOpen: boolean;
}

/**
 * The directives `verb` of a go.mod, alone in their line or in a block. Source: golang.org/x/mod/modfile
 * and https://go.dev/ref/mod#go-mod-file-lexical.
 */
export function directivesOf(text: string, verb: string): Directives {
  const args: (readonly string[])[] = [];
  const add = (tokens: readonly string[]) =>
    args.push(tokens.map((token) => token.replace(/^(["`])(.*)\1$/, '$2')));
  let block: string | undefined;
  for (const line of text.split('\n')) {
    const tokens = (line.match(MOD_TOKEN) ?? []).filter((token) => !token.startsWith('//'));
    const [first, ...rest] = tokens;
    if (first === undefined) continue;
    if (block !== undefined) {
      if (first === ')') block = undefined;
      else if (block === verb) add(tokens);
    } else if (rest.at(-1) === '(') block = tokens.slice(0, -1).join(' ');
    else if (first === verb) add(rest);
  }
  return { args, isOpen: block !== undefined };
}
