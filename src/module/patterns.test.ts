import { describe, expect, it } from 'vitest';
import { matches, parsePatterns } from './patterns.ts';

function covers(text: string, path: string): boolean {
  const parsed = parsePatterns(text);
  if (!parsed.ok) throw new Error(parsed.reason.join('; '));
  return matches(parsed.value, path);
}

const verdicts: readonly (readonly [text: string, path: string, covered: boolean])[] = [
  // As many elements as the pattern has.
  ['github.com/acme', 'github.com/acme', true],
  ['github.com/acme', 'github.com/acme/tool/cmd', true],
  ['github.com/acme', 'github.com/acmelab', false],
  ['github.com/acme', 'github.com', false],
  ['github.com/acme', 'x.example/github.com/acme', false],
  ['*.corp.example', 'git.corp.example/x', true],
  ['*.corp.example', 'corp.example/x', false],
  ['*.corp.example', 'a.b.corp.example/x', true],
  ['*/acme', 'git.example/acme/x', true],
  ['*', 'any.example/x', true],
  ['*/*', 'any.example', false],
  // Lists.
  ['a.example,b.example', 'b.example/x', true],
  [',,a.example,', 'a.example/x', true],
  ['', 'a.example', false],
  [',', 'a.example', false],
  ['/', 'a.example', false],
  ['a.example/', 'a.example/x', true],
  ['a.example/', 'a.example', true],
  ['a.example//', 'a.example/x', false],
  ['a.example, b.example', 'b.example', true],
  // path.Match.
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['a?c', 'a/c', false],
  ['a*c', 'ac', true],
  ['a*c', 'a/c', false],
  ['**', 'a/b', true],
  ['a*b*c', 'aXbbYc', true],
  ['a*b*c', 'aXbYd', false],
  ['*ab', 'aab', true],
  ['[a-c]x', 'bx', true],
  ['[a-c]x', 'dx', false],
  ['[^a-c]x', 'dx', true],
  ['[^a-c]x', 'bx', false],
  ['[c-a]', 'b', false],
  ['[a^]', '^', true],
  ['[*]', '*', true],
  ['[*]', 'a', false],
  [String.raw`[\]\-]`, ']', true],
  [String.raw`[\]\-]`, '-', true],
  [String.raw`\*`, '*', true],
  [String.raw`\*`, 'a', false],
  ['a]', 'a]', true],
  ['a.b', 'aXb', false],
  ['(a|b)+', 'a', false],
  // Where a class meets a slash, and where a translation to a regular expression would go back to
  // an earlier star.
  ['a[^x]b', 'a/b', false],
  ['a[b/]d', 'abd', false],
  ['a?[b/]', 'a/b', false],
  ['a[^x]b/c', 'a/b/c', false],
  ['a[^x]b/*', 'aYb/c', true],
  ['*[^a]/b', 'xx/b', true],
  ['*[^a]*b[^/]', 'xx/bz', false],
  ['*/*[^x]b', 'a/c/b', false],
];

const malformed = [
  '[',
  '[]',
  '[]a]',
  '[^]',
  '[a',
  '[a-',
  '[a-]',
  '[-a]',
  'x[a-z',
  '\\',
  'a\\',
  '[\\',
  'a\\/',
];

describe('matches', () => {
  it.each(verdicts)('%j and %j: %j', (text, path, covered) => {
    expect(covers(text, path)).toBe(covered);
  });

  it('matches no path with no patterns', () => {
    expect(matches([], 'a.example')).toBe(false);
  });

  it('does not search exponentially when a hostile pattern has many stars', () => {
    expect(covers(`${'*a'.repeat(200)}b`, 'a'.repeat(2000))).toBe(false);
  });
});

describe('parsePatterns', () => {
  it.each(malformed)('reports %j', (text) => {
    const parsed = parsePatterns(`a.example,${text}`);
    expect(parsed.ok).toBe(false);
  });

  it('reports every malformed pattern at once, quoted, and passes over the good ones', () => {
    expect(parsePatterns('a.example,[x,b\\,c.example')).toEqual({
      ok: false,
      reason: [
        'Cannot parse pattern "[x": a bracket is not closed',
        'Cannot parse pattern "b\\\\": nothing follows the last backslash',
      ],
    });
  });

  it('cuts at a comma even inside brackets, as the go command does', () => {
    expect(parsePatterns('[a,b]').ok).toBe(false);
  });
});
