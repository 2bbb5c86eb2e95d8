// Module patterns as GOPRIVATE and GONOSUMDB have them: globs, separated by commas, each of which
// covers a module path and everything below it. `*.corp.example,github.com/acme` covers
// git.corp.example/x and github.com/acme/tool/cmd.
//
// They decide which names never leave for a public origin, so they agree with the go command in
// every verdict but two, where the go command discloses what a pattern was to protect: a malformed
// pattern, which it ignores, does not parse here; and the space in `a.example, b.example`, which no
// path can match, is not part of a pattern here.
import { failed, type Result, success } from '../effects/result.ts';
import { matchGlob, parseGlob, type Glob } from './glob.ts';

/** A parsed list of patterns. An empty one matches nothing. */
export type Patterns = readonly Pattern[];

interface Pattern {
  /** How many path elements the glob spans. */
  readonly depth: number;
  readonly glob: Glob;
}

/**
 * Returns the patterns in `text`, or one sentence for each malformed pattern. Empty patterns are
 * skipped; spaces around a pattern and one slash at its end are dropped. Source:
 * golang.org/x/mod/module MatchPrefixPatterns.
 */
export function parsePatterns(text: string): Result<Patterns, readonly string[]> {
  const patterns: Pattern[] = [];
  const problems: string[] = [];
  for (const item of text.split(',')) {
    const pattern = item.trim().replace(/\/$/, '');
    if (pattern === '') continue;
    const parsed = parseGlob(pattern);
    if (parsed.ok) patterns.push({ depth: pattern.split('/').length, glob: parsed.value });
    else problems.push(`Cannot parse pattern ${JSON.stringify(pattern)}: ${parsed.reason}`);
  }
  return problems.length > 0 ? failed(problems) : success(patterns);
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
