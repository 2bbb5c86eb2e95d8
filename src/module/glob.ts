// Go's path.Match, step by step. A translation to regular expressions would differ: path.Match
// never goes back to an earlier star, and a class such as [^a] matches a slash. The former also
// makes hostile patterns harmless: for each star, matching takes at most as many steps as the
// length of the pattern times the length of the name.
import { failed, type Result, success } from '../effects/result.ts';

/** A parsed pattern, cut at its stars. */
export type Glob = readonly Chunk[];

/** The part of a pattern from its start, or from a star, up to the next star. */
interface Chunk {
  readonly star: boolean;
  readonly terms: readonly Term[];
}

/** Matches exactly one character, that is, one code point. */
type Term =
  | { readonly kind: 'literal'; readonly char: string }
  | { readonly kind: 'any' }
  | { readonly kind: 'class'; readonly negated: boolean; readonly ranges: readonly Range[] };

/** Code points, both ends included. */
type Range = readonly [low: string, high: string];

/** A term, and where the next one starts. */
interface ParsedTerm {
  readonly term: Term;
  readonly next: number;
}

/**
 * Returns the parsed pattern, or what is wrong with it. The syntax is that of Go's path.Match: `*`
 * matches any characters but slashes, `?` one character but a slash, `[a-z]` and `[^a-z]` one
 * character of a class, and `\` stands before a character that means itself.
 */
export function parseGlob(text: string): Result<Glob> {
  const chars = Array.from(text);
  const chunks: { star: boolean; terms: Term[] }[] = [];
  for (let at = 0; at < chars.length;) {
    const last = chunks.at(-1);
    if (chars[at] === '*') {
      if (!last?.star || last.terms.length > 0) chunks.push({ star: true, terms: [] });
      at++;
      continue;
    }
    const parsed = parseTerm(chars, at);
    if (!parsed.ok) return parsed;
    const { term, next } = parsed.value;
    if (last === undefined) chunks.push({ star: false, terms: [term] });
    else last.terms.push(term);
    at = next;
  }
  return success(chunks);
}

/** Returns true if `glob` matches all of `name`. Source: Go's path.Match. */
export function matchGlob(glob: Glob, name: string): boolean {
  const chars = Array.from(name);
  let at = 0;
  for (const [index, chunk] of glob.entries()) {
    if (chunk.star && chunk.terms.length === 0) return !chars.includes('/', at);
    const next = matchChunk(chunk, chars, { at, toTheEnd: index === glob.length - 1 });
    if (next === undefined) return false;
    at = next;
  }
  return at === chars.length;
}

/** Returns where the rest of the name starts after the first place at which `chunk` matches. */
function matchChunk(
  { star, terms }: Chunk,
  chars: readonly string[],
  { at, toTheEnd }: { at: number; toTheEnd: boolean },
): number | undefined {
  for (let from = at; ; from++) {
    const next = from + terms.length;
    const matched = terms.every((term, offset) => matchTerm(term, chars[from + offset]));
    if (matched && (!toTheEnd || next === chars.length)) return next;
    if (!star || from >= chars.length || chars[from] === '/') return undefined;
  }
}

/** Returns true if `term` matches this character. */
export function matchTerm(term: Term, char: string | undefined): boolean {
  if (char === undefined) return false;
  if (term.kind === 'literal') return char === term.char;
  if (term.kind === 'any') return char !== '/';
  const code = codeOf(char);
  return (
    term.negated !== term.ranges.some(([low, high]) => codeOf(low) <= code && code <= codeOf(high))
  );
}

function parseTerm(chars: readonly string[], at: number): Result<ParsedTerm> {
  const char = chars[at];
  if (char === '[') return parseClass(chars, at + 1);
  if (char === '?') return success({ term: { kind: 'any' }, next: at + 1 });
  const literal = char === '\\' ? at + 1 : at;
  const meant = chars[literal];
  if (meant === undefined) return failed('nothing follows the last backslash');
  return success({ term: { kind: 'literal', char: meant }, next: literal + 1 });
}

/**
 * Parses a class from after its bracket. An empty class, or a range without an end, is malformed.
 */
function parseClass(chars: readonly string[], start: number): Result<ParsedTerm> {
  const negated = chars[start] === '^';
  const ranges: Range[] = [];
  let at = negated ? start + 1 : start;
  while (chars[at] !== ']' || ranges.length === 0) {
    const low = parseClassChar(chars, at);
    const high =
      low !== undefined && chars[low.next] === '-' ? parseClassChar(chars, low.next + 1) : low;
    if (low === undefined || high === undefined) return failed(describeBadClass(chars, start));
    ranges.push([low.char, high.char]);
    at = high.next;
  }
  return success({ term: { kind: 'class', negated, ranges }, next: at + 1 });
}

/** In a class `-` and `]` need a backslash. */
function parseClassChar(
  chars: readonly string[],
  at: number,
): { char: string; next: number } | undefined {
  if (chars[at] === '-' || chars[at] === ']') return undefined;
  const literal = chars[at] === '\\' ? at + 1 : at;
  const char = chars[literal];
  return char === undefined ? undefined : { char, next: literal + 1 };
}

function describeBadClass(chars: readonly string[], start: number): string {
  return chars.includes(']', start)
    ? 'a class in brackets needs characters or ranges, "-" and "]" among them with a backslash'
    : 'a bracket is not closed';
}

function codeOf(char: string): number {
  return char.codePointAt(0) ?? 0;
}
