import { describe, expect, it } from 'vitest';
import { modulePath, version } from '../../../test/fakes/effects/values.ts';
import { meets, parseConstraint } from './constraint.ts';
import { isAbout, parseRules, rulesFor } from './rules.ts';

describe('a constraint', () => {
  it.each([
    ['v1.2.3', ['v1.2.3', 'v1.2.3+incompatible'], ['v1.2.2', 'v1.2.4', 'v1.2.3-rc.1']],
    ['<v1.2.3', ['v1.2.2', 'v1.2.3-rc.1', 'v0.0.0-20200101000000-abcdef012345'], ['v1.2.3']],
    ['<=v1.2.3', ['v1.2.3', 'v1.2.3-rc.1'], ['v1.2.4-rc.1', 'v1.10.0']],
    ['>v1.2.3', ['v1.2.4-rc.1', 'v1.10.0'], ['v1.2.3', 'v1.2.3-rc.1']],
    ['>=v1.2.3', ['v1.2.3', 'v99999999999999999999.0.0'], ['v1.2.3-rc.1', 'v1.1.9']],
    ['>=v1.2.0&<v1.4.0', ['v1.2.0', 'v1.3.9', 'v1.4.0-rc.1'], ['v1.1.9', 'v1.4.0']],
    [' >=v1.2.0 & < v1.4.0 ', ['v1.2.0'], ['v1.4.0']],
    ['>=v1.2.3&<=v1.2.3', ['v1.2.3'], ['v1.2.4']],
  ])('%j is met by %j and not by %j', (text, met, unmet) => {
    const constraint = parseConstraint(text);
    if (!constraint.ok) throw new Error(constraint.reason);
    for (const one of met)
      expect([one, meets(constraint.value, version(one))]).toEqual([one, true]);
    for (const one of unmet)
      expect([one, meets(constraint.value, version(one))]).toEqual([one, false]);
  });

  it.each([
    ['', '""'],
    ['1.2.3', '"1.2.3"'],
    ['v1.2', '"v1.2"'],
    ['<v2', '"<v2"'],
    ['v1.2.3+meta', '"v1.2.3+meta"'],
    ['=v1.2.3', '"=v1.2.3"'],
    ['==v1.2.3', '"==v1.2.3"'],
    ['~v1.2.3', '"~v1.2.3"'],
    ['<>v1.2.3', '"<>v1.2.3"'],
    ['latest', '"latest"'],
    ['v1.2.3&', '""'],
    ['>v1.0.0 <v2.0.0', '">v1.0.0 <v2.0.0"'],
    ['v1.2.3@v1.2.4', '"v1.2.3@v1.2.4"'],
  ])('%j cannot be parsed', (text, shown) => {
    expect(parseConstraint(text)).toEqual({
      ok: false,
      reason: `${shown} is no constraint: write whole versions such as v1.2.3, each alone or behind <, <=, > or >=, with & between them`,
    });
  });

  it.each([
    '>v2.0.0&<v1.0.0',
    'v1.0.0&v1.0.1',
    '>v1.0.0&<v1.0.0',
    '>=v1.0.0&<v1.0.0',
    'v2.0.0&<v1.0.0',
  ])('%j is refused, as no version meets it', (text) => {
    const reason = 'no version meets it: write an entry for each range';
    expect(parseConstraint(text)).toEqual({ ok: false, reason });
  });
});

describe('rules', () => {
  const parsed = parseRules(
    'DENY',
    'github.com/acme/*, example.com/x@<v1.0.0,example.com/x@v1.5.0',
  );
  const rules = parsed.ok ? parsed.value : [];
  const about = (module: string, of: string) =>
    rulesFor(rules, modulePath(module))
      .filter((rule) => isAbout(rule, version(of)))
      .map(({ text }) => text);

  it.each([
    ['github.com/acme/tool', 'v1.0.0', ['github.com/acme/*']],
    ['github.com/acme/tool/v2', 'v2.0.0', ['github.com/acme/*']],
    ['github.com/acme', 'v1.0.0', []],
    ['github.com/Acme/tool', 'v1.0.0', []],
    ['example.com/x', 'v0.9.0', ['example.com/x@<v1.0.0']],
    ['example.com/x/deep', 'v0.9.0', ['example.com/x@<v1.0.0']],
    ['example.com/x', 'v1.5.0', ['example.com/x@v1.5.0']],
    ['example.com/x', 'v1.0.0', []],
    ['example.com/xy', 'v0.9.0', []],
  ])('about %s at %s are %j', (module, of, expected) => {
    expect(about(module, of)).toEqual(expected);
  });

  it.each([
    ['x', ['entry "x": Cannot parse pattern "x": the first element of a module path is']],
    ['a.example,', ['entry "": it names no module: write a glob such as github.com/acme/*']],
    ['@v1.0.0', ['entry "@v1.0.0": it names no module']],
    ['a.example@', ['entry "a.example@": "" is no constraint']],
    [
      'a.example@v1@x, [b@v1.0.0',
      ['entry "a.example@v1@x": "v1@x" is', 'entry "[b@v1.0.0": Cannot'],
    ],
    ['a.example/@v1.0.0,https://b.example', ['entry "https://b.example": Cannot parse pattern']],
  ])('%j cannot be parsed, and every entry is named', (text, problems) => {
    const parsed = parseRules('DENY', text);
    expect(parsed.ok ? [] : parsed.reason).toEqual(
      problems.map((problem) => expect.stringContaining(`Cannot parse DENY: ${problem}`)),
    );
  });

  it('of an empty text are none', () => {
    expect(parseRules('ALLOW', '')).toEqual({ ok: true, value: [] });
  });
});
