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
  ['', 'a.example', false],
  ['a.example,b.example', 'b.example/x', true],
  ['a.example/', 'a.example/x', true],
  ['a.example/', 'a.example', true],
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
  ['[a^]', '^', true],
  ['[*a]', '*', true],
  ['[*a]', 'b', false],
  [String.raw`[\]\-]`, ']', true],
  [String.raw`[\]\-]`, '-', true],
  ['a.b', 'aXb', false],
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

/** Each can match no module path, or nothing that was meant. */
const useless: readonly (readonly [text: string, reason: string])[] = [
  [' ', 'an empty path element'],
  [',', 'an empty path element'],
  ['a.example,,b.example', 'an empty path element'],
  ['a.example,', 'an empty path element'],
  ['/', 'an empty path element'],
  ['/github.com/acme', 'an empty path element'],
  ['github.com//acme', 'an empty path element'],
  ['github.com/acme//', 'an empty path element'],
  ['https://github.com/acme', 'no module path has ":" in it'],
  ['git@github.com:acme', 'no module path has "@" in it'],
  ['github.com/acme@v1', 'no module path has "@" in it'],
  ['git.corp.example:8443/x', 'no module path has ":" in it'],
  ['github.com/a github.com/b', 'no module path has " " in it'],
  ['github.com/a\ngithub.com/b', String.raw`no module path has "\n" in it`],
  ['github.com/a\tgithub.com/b', String.raw`no module path has "\t" in it`],
  ['github.com/a\u00a0github.com/b', 'no module path has "\u00a0" in it'],
  ['a.example;b.example', 'no module path has ";" in it'],
  ['a.example|b.example', 'no module path has "|" in it'],
  ['"a.example"', String.raw`no module path has "\"" in it`],
  ["'a.example'", `no module path has "'" in it`],
  ['`a.example`', 'no module path has "`" in it'],
  ['“a.example”', 'no module path has "“" in it'],
  ['{a.b}.corp', 'no module path has "{" in it'],
  ['$CORP.example', 'no module path has "$" in it'],
  ['^github.com/acme$', 'no module path has "^" in it'],
  ['!github.com/acme', 'no module path has "!" in it'],
  ['github.com/!acme', 'no module path has "!" in it'],
  ['github.com/acme%2Fx', 'no module path has "%" in it'],
  ['(a.b|c.d)+', 'no module path has "(" in it'],
  ['bücher.example', 'no module path has "ü" in it'],
  ['github.com/acme#x', 'no module path has "#" in it'],
  ['github.com/acme?x=1', 'no module path has "=" in it'],
  ['a.example/]', 'no module path has "]" in it'],
  [String.raw`github.com/\*`, 'no module path has "*" in it'],
  [String.raw`github.com\acme`, 'no letter or digit needs a backslash'],
  ['a.example/[*]', 'no module path has a character of its class in it'],
  ['a.example/[c-a]', 'no module path has a character of its class in it'],
  ['GitHub.com/acme', 'has lower-case letters, digits'],
  ['git_hub.com/acme', 'has lower-case letters, digits'],
  ['[A-Z].example', 'has lower-case letters, digits'],
  ['github.com/acme/...', 'begins or ends with a dot'],
  ['...', 'begins or ends with a dot'],
  ['.corp.example', 'begins or ends with a dot'],
  ['git.corp.example./x', 'begins or ends with a dot'],
  ['../x', 'begins or ends with a dot'],
  ['corp', 'a host name with a dot'],
  ['corp/tool', 'a host name with a dot'],
  ['true', 'a host name with a dot'],
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

  it.each(useless)('reports %j, which can match nothing that was meant', (text, reason) => {
    const parsed = parsePatterns(text);
    expect(parsed.ok ? [] : parsed.reason).toContainEqual(expect.stringContaining(reason));
  });

  it.each(['*', '*.corp.example', 'github.com/Acme/x_y~z', '?.example', 'a[.]b/[A-Z]*', 'x*'])(
    'takes %j',
    (text) => {
      expect(parsePatterns(text).ok).toBe(true);
    },
  );

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
