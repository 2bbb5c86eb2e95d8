// Module patterns as GOPRIVATE and GONOSUMDB have them: globs, separated by commas, each of which
// covers a module path and everything below it. `*.corp.example,github.com/acme` covers
// git.corp.example/x and github.com/acme/tool/cmd.
//
// They decide which names are never sent to a public origin. So the verdicts are those of the go
// command, with two exceptions where the go command discloses what a pattern should protect. The go
// command ignores a malformed pattern, and keeps one that no module path can match; here both are
// parse errors. The go command takes the space in `a.example, b.example` for a part of the second
// pattern, which then matches nothing; here the space is dropped.
import { failed, type Result, success } from '../effects/result.ts';
import { type Glob, matchGlob, matchTerm, parseGlob } from './glob.ts';

/** A parsed list of patterns. An empty one matches nothing. */
export type Patterns = readonly Pattern[];

interface Pattern {
  /** How many path elements the glob spans. */
  readonly depth: number;
  readonly glob: Glob;
}

/**
 * Returns the patterns in `text`, none if it is empty, or one sentence for each pattern that is
 * malformed, empty, or matches no module path. Spaces around a pattern and one slash at its
 * end are dropped. Source: golang.org/x/mod/module MatchPrefixPatterns and CheckPath.
 */
export function parsePatterns(text: string): Result<Patterns, readonly string[]> {
  if (text === '') return success([]);
  const patterns: Pattern[] = [];
  const problems: string[] = [];
  for (const item of text.split(',')) {
    const pattern = item.trim().replace(/\/$/, '');
    const parsed = parsePattern(pattern);
    if (parsed.ok) patterns.push(parsed.value);
    else problems.push(`Cannot parse pattern ${JSON.stringify(pattern)}: ${parsed.reason}`);
  }
  return problems.length > 0 ? failed(problems) : success(patterns);
}

function parsePattern(pattern: string): Result<Pattern> {
  const glob = parseGlob(pattern);
  if (!glob.ok) return glob;
  const elements = pattern.split('/');
  const fault = /\\[a-z0-9]/i.test(pattern)
    ? `no letter or digit needs a backslash: ${REMEDY}`
    : (findCharacterFault(glob.value) ?? findElementFault(elements));
  if (fault !== undefined) return failed(fault);
  return success({ depth: elements.length, glob: glob.value });
}

/** Why no module path has such elements; undefined where one may. */
function findElementFault([first = '', ...rest]: readonly string[]): string | undefined {
  const elements = [first, ...rest];
  if (elements.includes('')) {
    return 'it has an empty path element: write hosts and paths, with a comma between two patterns';
  }
  if (elements.some((element) => element.startsWith('.') || element.endsWith('.'))) {
    return 'no element of a module path begins or ends with a dot: write "*" for any name, and nothing for what is below a path';
  }
  if (!/[.*?[]/.test(first)) {
    return 'the first element of a module path is a host name with a dot';
  }
  return undefined;
}

/** What the first element of a module path consists of, and what the others do. */
const HOST_CHARACTERS = Array.from('abcdefghijklmnopqrstuvwxyz0123456789-.');
const PATH_CHARACTERS = HOST_CHARACTERS.concat(Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ_~'));

const REMEDY =
  'separate patterns by commas, and write no scheme, port, quotes, braces or backslashes';

/** Which of its characters no module path has; undefined where there is none. */
function findCharacterFault(glob: Glob): string | undefined {
  let isInHost = true;
  for (const term of glob.flatMap(({ terms }) => terms)) {
    if (term.kind === 'literal' && term.char === '/') isInHost = false;
    else if (!PATH_CHARACTERS.some((char) => matchTerm(term, char))) {
      const what = term.kind === 'literal' ? JSON.stringify(term.char) : 'a character of its class';
      return `no module path has ${what} in it: ${REMEDY}`;
    } else if (isInHost && !HOST_CHARACTERS.some((char) => matchTerm(term, char))) {
      return 'the first element of a module path has lower-case letters, digits, "-" and "." alone';
    }
  }
  return undefined;
}

/**
 * Returns true if some pattern matches as many leading elements of `modulePath` as it has itself.
 * Source: golang.org/x/mod/module MatchPrefixPatterns.
 */
export function matches(patterns: Patterns, modulePath: string): boolean {
  const elements = modulePath.split('/');
  return patterns.some(
    ({ depth, glob }) =>
      depth <= elements.length && matchGlob(glob, elements.slice(0, depth).join('/')),
  );
}
