import { describe, expect, it } from 'vitest';
import { modulePath, version } from '../../../test/fakes/effects/values.ts';
import { judgeModule, type Policy } from './judge.ts';
import { parseRules } from './rules.ts';
import { groundText } from './texts.ts';

function policyOf(ALLOW: string, DENY: string): Policy {
  const [allow, deny] = [parseRules('ALLOW', ALLOW), parseRules('DENY', DENY)];
  if (!allow.ok || !deny.ok) throw new Error('no rules');
  return { allow: allow.value, deny: deny.value };
}

describe('a module', () => {
  it.each([
    ['', '', 'example.com/x', 'free'],
    ['', 'example.com/y', 'example.com/x', 'free'],
    ['', 'example.com/x', 'example.com/x', 'refused'],
    ['', 'example.com/x', 'example.com/x/v2', 'refused'],
    ['', 'example.com/x/v2', 'example.com/x', 'free'],
    ['', 'example.com/x@v1.0.0', 'example.com/x', 'by version'],
    ['', 'example.com/x@v1.0.0,*', 'example.com/x', 'refused'],
    ['example.com/x', '', 'example.com/x', 'free'],
    ['example.com/x', '', 'example.com/x/cmd/tool', 'free'],
    ['example.com/x', '', 'example.com/y', 'refused'],
    ['example.com/x@v1.0.0', '', 'example.com/x', 'by version'],
    ['example.com/x@v1.0.0,example.com/*', '', 'example.com/x', 'free'],
    ['example.com/x', 'example.com/x', 'example.com/x', 'refused'],
    ['example.com/x', 'example.com/x@v1.0.0', 'example.com/x', 'by version'],
    // A prefix of what is allowed.
    ['example.com/x/y', '', 'example.com/x', 'prefix'],
    ['example.com/x/y', '', 'example.com', 'prefix'],
    ['example.com/x/y@v1.0.0', '', 'example.com/x', 'prefix'],
    ['example.com/x/y/', '', 'example.com/x', 'prefix'],
    ['example.com/x/y', '', 'example.com/x/z', 'refused'],
    ['example.com/xy', '', 'example.com/x', 'refused'],
    ['example.com/x/*', '', 'example.com/x', 'refused'],
    ['example.com/x/y?', '', 'example.com/x', 'refused'],
    ['example.com/x/[a-z]', '', 'example.com/x', 'refused'],
    ['example.com/x/y', 'example.com/x', 'example.com/x', 'refused'],
  ])('with ALLOW=%s DENY=%s, %s is %s', (allow, deny, module, kind) => {
    expect(judgeModule(policyOf(allow, deny), modulePath(module))).toHaveProperty('kind', kind);
  });

  it.each([
    ['', 'a.example,example.com/x', 'DENY has "example.com/x"'],
    ['a.example', '', 'no entry of ALLOW covers it'],
  ])('that is refused by ALLOW=%s DENY=%s is refused with %s', (allow, deny, text) => {
    const verdict = judgeModule(policyOf(allow, deny), modulePath('example.com/x'));
    expect(verdict.kind === 'refused' && groundText(verdict.by)).toBe(text);
  });
});

describe('a version', () => {
  it.each([
    ['', '*@<v1.0.0', 'v0.9.0', 'DENY has "*@<v1.0.0"'],
    ['', '*@<v1.0.0', 'v1.0.0', undefined],
    ['', '*@<v1.0.0,*@v1.5.0', 'v1.5.0', 'DENY has "*@v1.5.0"'],
    ['*@<v1.0.0', '', 'v0.9.0', undefined],
    ['*@<v1.0.0', '', 'v1.0.0', 'ALLOW has "*@<v1.0.0", which does not cover it'],
    ['*@<v1.0.0,*@v1.5.0', '', 'v1.5.0', undefined],
    // DENY wins.
    ['*@>=v1.0.0', '*@v1.5.0', 'v1.5.0', 'DENY has "*@v1.5.0"'],
    ['*@v1.5.0', '*@v1.5.0', 'v1.5.0', 'DENY has "*@v1.5.0"'],
    ['*', '*@v1.5.0', 'v1.4.0', undefined],
  ])('with ALLOW=%s DENY=%s, %s is refused with %s', (allow, deny, text, expected) => {
    const verdict = judgeModule(policyOf(allow, deny), modulePath('example.com/x'));
    const { by, isRefused } =
      verdict.kind === 'by version' ? verdict.of(version(text)) : { by: undefined, isRefused: 0 };
    expect(isRefused && by ? groundText(by) : undefined).toBe(expected);
    expect(verdict.kind).toBe('by version');
  });
});
