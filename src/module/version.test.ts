import { describe, expect, it, test } from 'vitest';
import {
  canonicalVersion,
  compareVersions,
  escapeVersion,
  isPseudoVersion,
  isSemver,
  parseVersion,
  parseVersionQuery,
  semverMajor,
  unescapeVersionElement,
  type Version,
  type VersionQuery,
} from './version.ts';

function canonical(text: string): Version {
  const version = parseVersion(text);
  if (version === undefined)
    throw new Error(`Table holds "${text}", which is not a canonical version`);
  return version;
}

function revision(text: string): Version | VersionQuery {
  return parseVersionQuery(text) ?? canonical(text);
}

describe('semantic versions', () => {
  it.each([
    ['v1.2.3', 'v1.2.3'],
    ['v0.0.0', 'v0.0.0'],
    ['v1', 'v1.0.0'],
    ['v1.2', 'v1.2.0'],
    ['v1.2.3-rc.1', 'v1.2.3-rc.1'],
    ['v1.2.3--', 'v1.2.3--'],
    ['v1.2.3-0', 'v1.2.3-0'],
    ['v1.2.3-0a', 'v1.2.3-0a'],
    ['v1.2.3-01a', 'v1.2.3-01a'],
    ['v1.2.3-0-0', 'v1.2.3-0-0'],
    ['v1.0.1-RC1', 'v1.0.1-RC1'],
    ['v1.2.3+meta', 'v1.2.3'],
    ['v1.2.3+01', 'v1.2.3'],
    ['v1.2.3-pre+meta.1', 'v1.2.3-pre'],
    ['v2.0.0+incompatible', 'v2.0.0+incompatible'],
    ['v2.0.0-pre+incompatible', 'v2.0.0-pre+incompatible'],
    ['v2.0.0+incompatible.1', 'v2.0.0'],
    ['v2.0.0+Incompatible', 'v2.0.0'],
    ['v1.0.0+incompatible', 'v1.0.0+incompatible'],
    ['v99999999999999999999.0.0', 'v99999999999999999999.0.0'],
    ['v99999999999999999999.0.0-x', 'v99999999999999999999.0.0-x'],
    ['v0.0.0-20160102030405-abcdef123456', 'v0.0.0-20160102030405-abcdef123456'],
  ])('%s is valid and its canonical form is %s', (text, canonical) => {
    expect(isSemver(text)).toBe(true);
    expect(canonicalVersion(text)).toBe(canonical);
    expect(parseVersion(text)).toBe(text === canonical ? text : undefined);
  });

  it.each([
    '',
    'v',
    '1.0.0',
    'V1.0.0',
    'vx',
    'v01.0.0',
    'v1.02.0',
    'v1.0.00',
    'v1.',
    'v1..0',
    'v1.0.0.0',
    'v-1.0.0',
    'v1-rc1',
    'v1.2-rc1',
    'v1+meta',
    'v1.2+incompatible',
    'v1.0.0-',
    'v1.0.0-.',
    'v1.0.0-a..b',
    'v1.0.0-a.',
    'v1.0.0-01',
    'v1.0.0-rc.01',
    'v1.0.0-rc_1',
    'v1.0.0+',
    'v1.0.0+a..b',
    'v1.0.0+a+b',
    'v1.0.0-\u00e9',
    'v\u0661.0.0',
    ' v1.0.0',
    'v1.0.0\n',
    'master',
  ])('%j is refused', (text) => {
    expect(isSemver(text)).toBe(false);
    expect(canonicalVersion(text)).toBeUndefined();
    expect(parseVersion(text)).toBeUndefined();
  });

  it.each([
    ['v0.9.0', 'v0'],
    ['v2.1.0', 'v2'],
    ['v10.0.0-rc.1', 'v10'],
    ['v99999999999999999999.0.0', 'v99999999999999999999'],
  ])('the major version of %s is %s', (text, major) => {
    expect(semverMajor(canonical(text))).toBe(major);
  });
});

describe('pseudo-versions', () => {
  it.each([
    'v0.0.0-20160102030405-abcdef123456',
    'v4.0.0-20160102030405-abcdef123456',
    'v1.2.4-0.20160102030405-abcdef123456',
    'v2.0.1-0.20160102030405-abcdef123456+incompatible',
    'v1.2.3-pre.0.20160102030405-abcdef123456',
    'v2.0.0-pre.1.0.20160102030405-abcdef123456+incompatible',
    'v1.2.3-a-b.0.20160102030405-abc',
    'v0.0.0-00010101000000-000000000000',
  ])('%s is one', (text) => {
    expect(isPseudoVersion(text)).toBe(true);
  });

  it.each([
    ['the patch is not 0 in the short form', 'v0.0.1-20160102030405-abcdef123456'],
    ['no 0 stands before the time', 'v1.2.3-pre.20160102030405-abcdef123456'],
    ['another number stands before the time', 'v1.2.3-1.20160102030405-abcdef123456'],
    ['the time is too short', 'v0.0.0-2016010203040-abcdef123456'],
    ['the time is too long', 'v0.0.0-201601020304050-abcdef123456'],
    ['there is no revision', 'v0.0.0-20160102030405'],
    ['the revision is empty', 'v0.0.0-20160102030405-'],
    ['the revision has a dot', 'v0.0.0-20160102030405-abc.def'],
    ['the major version has a leading zero', 'v01.0.0-20160102030405-abcdef123456'],
    ['a prerelease number has a leading zero', 'v1.2.3-01.0.20160102030405-abcdef123456'],
    ['it is a tag', 'v1.2.3-rc-1'],
  ])('are none where %s: %s', (_, text) => {
    expect(isPseudoVersion(text)).toBe(false);
  });
});

describe('the order of versions', () => {
  const ascending = [
    'not a version',
    'v0.0.0-20160102030405-abcdef123456',
    'v0.0.0',
    'v0.0.9',
    'v0.0.10',
    'v0.9.0',
    'v0.10.0',
    'v1.0.0-0',
    'v1.0.0-2',
    'v1.0.0-11',
    'v1.0.0-99999999999999999999',
    'v1.0.0-100000000000000000000',
    'v1.0.0--',
    'v1.0.0-RC1',
    'v1.0.0-alpha',
    'v1.0.0-alpha.1',
    'v1.0.0-alpha.1.0',
    'v1.0.0-alpha.beta',
    'v1.0.0-beta',
    'v1.0.0-beta.2',
    'v1.0.0-beta.11',
    'v1.0.0-rc.1',
    'v1.0.0-rc1',
    'v1.0.0-rc10',
    'v1.0.0-rc2',
    'v1.0.0',
    'v1.0.1',
    'v9.0.0',
    'v10.0.0',
    'v99999999999999999998.0.0',
    'v99999999999999999999.0.0',
    'v100000000000000000000.0.0',
  ];

  test('every version precedes all that are listed after it', () => {
    for (const [index, version] of ascending.entries()) {
      expect(compareVersions(version, version)).toBe(0);
      for (const later of ascending.slice(index + 1)) {
        expect([version, later, compareVersions(version, later)]).toEqual([version, later, -1]);
        expect([later, version, compareVersions(later, version)]).toEqual([later, version, 1]);
      }
    }
  });

  it.each([
    ['v1', 'v1.0.0'],
    ['v1.2', 'v1.2.0'],
    ['v1.0.0+meta', 'v1.0.0'],
    ['v2.0.0+incompatible', 'v2.0.0'],
    ['v1.0.0-rc.1+a', 'v1.0.0-rc.1+b'],
    ['master', 'v01.0.0'],
  ])('%s and %s are equal', (a, b) => {
    expect(compareVersions(a, b)).toBe(0);
    expect(compareVersions(b, a)).toBe(0);
  });
});

describe('what a version element may hold', () => {
  it.each([
    ['v1.1.0', 'v1.1.0'],
    ['v1.0.1-!r!c1', 'v1.0.1-RC1'],
    ['!h!e!a!d', 'HEAD'],
    ['!dev', 'Dev'],
    ['master', 'master'],
    ['0123456', '0123456'],
    ['v01.0.0', 'v01.0.0'],
    ['1.0.0', '1.0.0'],
    ['v1.0.0-', 'v1.0.0-'],
    ['v1.2.3+meta', 'v1.2.3+meta'],
    ['v3.0.0+incompatible', 'v3.0.0+incompatible'],
    ['v99999999999999999999.0.0-x', 'v99999999999999999999.0.0-x'],
    ['a b', 'a b'],
    ['a#b', 'a#b'],
    ['a%b', 'a%b'],
    ['a,b', 'a,b'],
    ['a@b', 'a@b'],
    ['a=b', 'a=b'],
    ['#$%&()+,-.=@[]^_{}~ ', '#$%&()+,-.=@[]^_{}~ '],
    ['.x', '.x'],
    ['-x', '-x'],
    ['x~1', 'x~1'],
    ['x..y', 'x..y'],
    ['com0', 'com0'],
    ['conx', 'conx'],
  ])('%j is a request for %j', (escaped, text) => {
    expect(unescapeVersionElement(escaped)).toBe(text);
    expect(escapeVersion(revision(text))).toBe(escaped);
  });

  test('a version of 300 characters is legal', () => {
    const long = `v1.0.0-${'a'.repeat(293)}`;
    expect(unescapeVersionElement(long)).toBe(long);
    expect(parseVersion(long)).toBe(long);
  });

  it.each([
    ['it is empty', ''],
    ['it is dots alone', '.'],
    ['it is dots alone', '..'],
    ['it is dots alone', '...'],
    ['it ends in a dot', 'v1.1.0.'],
    ['it ends in a dot', 'x..'],
    ['it is a device on Windows', 'aux'],
    ['it is a device on Windows', 'con'],
    ['it is a device on Windows, in upper case', '!a!u!x'],
    ['it is a device on Windows, with an extension', 'com1.x'],
    ['it has a raw upper-case letter', 'v1.1.0-RC1'],
    ['! stands before an upper-case letter', 'v1.1.0-!R'],
    ['! is doubled', '!!a'],
    ['it has two elements', 'feature/x'],
    ['it climbs out of its directory', '../../secret'],
    ['it has a backslash', 'a\\b'],
    ['it has a colon', 'a:b'],
    ['it has a question mark', 'a?b'],
    ['it has an asterisk', 'a*b'],
    ['it has a quote', 'a"b'],
    ['it has a letter outside ASCII', '\u00e9'],
    ['it has a null character', 'v1.1.0\u0000'],
    ['it has an escape sequence', '\u001b[31m'],
    ['it has a line break', 'v1.1.0\n'],
    ['it has a delete character', 'a\u007f'],
  ])('when %s nothing is requested: %j', (_, escaped) => {
    expect(unescapeVersionElement(escaped)).toBeUndefined();
  });

  it.each(['master', 'v1', 'v1.2', 'v1.2.3+meta', 'v01.0.0', 'latest'])('%s is a query', (text) => {
    expect(parseVersionQuery(text)).toBe(text);
  });

  it.each([
    'v1.2.3',
    'v3.0.0+incompatible',
    'v0.0.0-20160102030405-abcdef123456',
    '',
    'a/b',
    'a!b',
    '\u00e9',
  ])('%j is not a query', (text) => {
    expect(parseVersionQuery(text)).toBeUndefined();
  });
});

test('hostile lengths are judged in linear time', () => {
  const many = 100_000;
  expect(isSemver(`v${'9'.repeat(many)}x`)).toBe(false);
  expect(isSemver(`v1.0.0-${'1.'.repeat(many)}_`)).toBe(false);
  expect(isSemver(`v1.0.0-${'0-'.repeat(many)}_`)).toBe(false);
  expect(isPseudoVersion(`v1.0.0-${'a.0.'.repeat(many)}20160102030405-x.y`)).toBe(false);
});
