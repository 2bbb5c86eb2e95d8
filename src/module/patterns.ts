// Module patterns as GOPRIVATE and GONOSUMDB have them: globs, separated by commas, each of which
// covers a module path and everything below it. `*.corp.example,github.com/acme` covers
// git.corp.example/x and github.com/acme/tool/cmd.
//
// They decide which names are never sent to a public origin. So the verdicts are those of the go
// command, with two exceptions where the go command discloses what a pattern should protect. The go
// command ignores a malformed pattern; here it is a parse error. The go command takes the space in
// `a.example, b.example` for a part of the second pattern, which then matches nothing; here the
// space is dropped.
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
