import { describe, expect, it, test } from 'vitest';
import {
  describeBadModulePath,
  escapeModulePath,
  type ModulePath,
  parseModulePath,
  splitPathVersion,
  unescapeModulePath,
  versionFitsPath,
} from './module-path.ts';
import { parseVersion, type Version } from './version.ts';

function modulePath(path: string): ModulePath {
  const parsed = parseModulePath(path);
  if (parsed === undefined) throw new Error(`Table holds a bad module path "${path}"`);
  return parsed;
}

function canonical(version: string): Version {
  const parsed = parseVersion(version);
  if (parsed === undefined)
    throw new Error(`Table holds "${version}", which is not a canonical version`);
  return parsed;
}

describe('valid module paths', () => {
  it.each([
    ['golang.org/x/text', 'golang.org/x/text'],
    ['rsc.io/quote/v2', 'rsc.io/quote/v2'],
    ['github.com/Azure/x', 'github.com/!azure/x'],
    ['github.com/BurntSushi/toml', 'github.com/!burnt!sushi/toml'],
    ['github.com', 'github.com'],
    ['127.0.0.1/x', '127.0.0.1/x'],
    ['169.254.169.254/latest', '169.254.169.254/latest'],
    ['localhost.localdomain/x', 'localhost.localdomain/x'],
    ['metadata.google.internal/x', 'metadata.google.internal/x'],
    ['example.com/a..b', 'example.com/a..b'],
    ['a..b/c', 'a..b/c'],
    ['x-.com/a', 'x-.com/a'],
    ['example.com/-x', 'example.com/-x'],
    ['example.com/_', 'example.com/_'],
    ['example.com/~', 'example.com/~'],
    ['example.com/x~', 'example.com/x~'],
    ['example.com/x~1a', 'example.com/x~1a'],
    ['example.com/x.y~1', 'example.com/x.y~1'],
    ['example.com/com0', 'example.com/com0'],
    ['example.com/conx', 'example.com/conx'],
    ['example.com/x.con', 'example.com/x.con'],
    ['example.com/v1/x', 'example.com/v1/x'],
    ['example.com/v', 'example.com/v'],
    ['example.com/vv1', 'example.com/vv1'],
    ['example.com/V1', 'example.com/!v1'],
    ['example.com/x.v1', 'example.com/x.v1'],
    ['example.com/m/v10', 'example.com/m/v10'],
    ['gopkg.in', 'gopkg.in'],
    ['gopkg.in/yaml.v3', 'gopkg.in/yaml.v3'],
    ['gopkg.in/check.v1', 'gopkg.in/check.v1'],
    ['gopkg.in/yaml.v0', 'gopkg.in/yaml.v0'],
    ['gopkg.in/yaml.v2-unstable', 'gopkg.in/yaml.v2-unstable'],
    ['gopkg.in/yaml.v-unstable', 'gopkg.in/yaml.v-unstable'],
    ['gopkg.in/Shopify/sarama.v1', 'gopkg.in/!shopify/sarama.v1'],
  ])('%s is one, spelled %s in a URL', (path, escaped) => {
    expect(describeBadModulePath(path)).toBeUndefined();
    expect(escapeModulePath(modulePath(path))).toBe(escaped);
    expect(unescapeModulePath(escaped)).toBe(path);
  });

  test('100 elements are legal', () => {
    const path = `example.com${'/a'.repeat(99)}`;
    expect(parseModulePath(path)).toBe(path);
  });
});

describe('invalid module paths', () => {
  it.each([
    ['', 'empty string'],
    ['/', 'trailing slash'],
    ['/example.com', 'empty path element'],
    ['//example.com/hello', 'double slash'],
    ['example.com//hello', 'double slash'],
    ['example.com/hello/', 'trailing slash'],
    ['-x.com/a', 'leading dash'],
    ['example/x', 'missing dot in first path element'],
    ['favicon', 'missing dot in first path element'],
    ['Example.com/x', "invalid char 'E' in first path element"],
    ['a_b.com/x', "invalid char '_' in first path element"],
    ['example.com:8080/a', "invalid char ':'"],
    ['user@example.com/a', "invalid char '@'"],
    ['example.com/.git/x', 'leading dot in path element'],
    ['.example.com/x', 'leading dot in path element'],
    ['example.com/a.', 'trailing dot in path element'],
    ['example.com./x', 'trailing dot in path element'],
    ['../../etc/passwd', 'invalid path element ".."'],
    ['example.com/...', 'invalid path element "..."'],
    ['example.com/con', '"con" disallowed as path element component on Windows'],
    ['example.com/COM1.txt', '"COM1" disallowed as path element component on Windows'],
    ['example.com/lpt9.a.b/x', '"lpt9" disallowed as path element component on Windows'],
    ['aux.com/x', '"aux" disallowed as path element component on Windows'],
    ['example.com/x~1', 'trailing tilde and digits in path element'],
    ['example.com/x~1.go', 'trailing tilde and digits in path element'],
    ['example.com/~12/x', 'trailing tilde and digits in path element'],
    ['example.com/a+b', "invalid char '+'"],
    ['example.com/a b', "invalid char ' '"],
    ['example.com/a*b', "invalid char '*'"],
    ['example.com/a!b', "invalid char '!'"],
    ["example.com/a'b", "invalid char '\\''"],
    ['github.com/%21azure/x', "invalid char '%'"],
    ['example.com/m/v0', 'invalid version'],
    ['example.com/m/v1', 'invalid version'],
    ['example.com/m/v02', 'invalid version'],
    ['example.com/m/v2.0', 'invalid version'],
    ['example.com/v1.2', 'invalid version'],
    ['gopkg.in/yaml', 'invalid version'],
    ['gopkg.in/yaml/v2', 'invalid version'],
    ['gopkg.in/yaml.v', 'invalid version'],
    ['gopkg.in/yaml.v00', 'invalid version'],
    ['gopkg.in/yaml.v02', 'invalid version'],
    ['gopkg.in/yaml.v0-unstable', 'invalid version'],
  ])('%j is refused: %s', (path, reason) => {
    expect(parseModulePath(path)).toBeUndefined();
    expect(describeBadModulePath(path)).toBe(`malformed module path "${path}": ${reason}`);
  });

  it.each([
    ['example.com/a"b', String.raw`malformed module path "example.com/a\"b": invalid char '"'`],
    [
      'example.com\\hello',
      String.raw`malformed module path "example.com\\hello": invalid char '\\'`,
    ],
    ['e.com/a\u0000', String.raw`malformed module path "e.com/a\u{0}": invalid char '\u{0}'`],
    [
      'e.com/\u001b[31m',
      String.raw`malformed module path "e.com/\u{1b}[31m": invalid char '\u{1b}'`,
    ],
    [
      'e.com/a\r\nX: 1',
      String.raw`malformed module path "e.com/a\u{d}\u{a}X: 1": invalid char '\u{d}'`,
    ],
    ['e.com/h\u00e9', String.raw`malformed module path "e.com/h\u{e9}": invalid char '\u{e9}'`],
    [
      'e.com/\u{1f600}',
      String.raw`malformed module path "e.com/\u{1f600}": invalid char '\u{1f600}'`,
    ],
    ['e.com/\ud800', String.raw`malformed module path "e.com/\u{d800}": invalid UTF-8`],
  ])('the reason against %j is printable ASCII on one line', (path, text) => {
    expect(parseModulePath(path)).toBeUndefined();
    expect(describeBadModulePath(path)).toBe(text);
  });

  it.each([
    ['a raw upper-case letter', 'github.com/Azure/Thing'],
    ['a doubled !', 'github.com/!!azure/x'],
    ['a ! before an upper-case letter', 'github.com/!Azure/x'],
    ['a ! before /', 'github.com/a!/x'],
    ['a ! before a digit', 'github.com/!1/x'],
    ['an upper-case letter in the host', '!example.com/x'],
    ['a second percent-encoding', 'github.com/%21azure/x'],
    ['a device name in upper case', 'example.com/!c!o!m1.txt'],
    ['a letter outside ASCII', 'example.com/h\u00e9llo'],
    ['nothing', ''],
  ])('an escaped path with %s is refused', (_, escaped) => {
    expect(unescapeModulePath(escaped)).toBeUndefined();
  });
});

describe('the major version of a path', () => {
  it.each([
    ['example.com/m', 'example.com/m', ''],
    ['example.com/m/v2', 'example.com/m', '/v2'],
    ['example.com/m/v99', 'example.com/m', '/v99'],
    ['example.com/v2/m', 'example.com/v2/m', ''],
    ['example.com/x.v2', 'example.com/x.v2', ''],
    ['example.com/m2', 'example.com/m2', ''],
    ['v2', 'v2', ''],
    ['gopkg.in', 'gopkg.in', ''],
    ['gopkg.in/yaml.v0', 'gopkg.in/yaml', '.v0'],
    ['gopkg.in/yaml.v1', 'gopkg.in/yaml', '.v1'],
    ['gopkg.in/a/b.v10', 'gopkg.in/a/b', '.v10'],
    ['gopkg.in/yaml.v1.v2', 'gopkg.in/yaml.v1', '.v2'],
    ['gopkg.in/yaml.v2-unstable', 'gopkg.in/yaml', '.v2-unstable'],
  ])('%s is %j and %j', (path, prefix, pathMajor) => {
    expect(splitPathVersion(path)).toEqual({ prefix, pathMajor });
  });

  it.each([
    'example.com/m/v0',
    'example.com/m/v1',
    'example.com/m/v02',
    'example.com/m/v2.0',
    'x/v.',
  ])('%s ends in a malformed one', (path) => {
    expect(splitPathVersion(path)).toBeUndefined();
  });
});

describe('the versions of a module', () => {
  const pseudo = '20161208181325-20d25e280405';

  it.each([
    ['example.com/m', 'v0.1.0'],
    ['example.com/m', 'v1.9.9-rc.1'],
    ['example.com/m', `v0.0.0-${pseudo}`],
    ['example.com/m', 'v3.0.0+incompatible'],
    ['example.com/m', 'v1.0.0+incompatible'],
    ['example.com/m/v2', 'v2.0.0'],
    ['example.com/m/v2', `v2.0.0-${pseudo}`],
    ['example.com/m/v2', 'v2.0.0+incompatible'],
    ['example.com/m/v99999999999999999999', 'v99999999999999999999.0.0'],
    ['gopkg.in/yaml.v0', 'v0.1.0'],
    ['gopkg.in/yaml.v2', 'v2.4.0'],
    ['gopkg.in/yaml.v2-unstable', 'v2.4.0'],
    ['gopkg.in/check.v1', 'v1.0.0'],
    ['gopkg.in/check.v1', `v0.0.0-${pseudo}`],
    ['gopkg.in/check.v1', 'v0.0.0-rc.1'],
    ['gopkg.in/check.v1-unstable', `v0.0.0-${pseudo}`],
    ['gopkg.in', 'v1.0.0'],
  ])('%s may have %s', (path, version) => {
    expect(versionFitsPath(modulePath(path), canonical(version))).toBe(true);
  });

  it.each([
    ['example.com/m', 'v2.0.0'],
    ['example.com/m', 'v10.0.0'],
    ['example.com/m', `v2.0.0-${pseudo}`],
    ['example.com/m/v2', 'v0.0.0'],
    ['example.com/m/v2', 'v1.0.0'],
    ['example.com/m/v2', 'v3.0.0'],
    ['example.com/m/v2', 'v20.0.0'],
    ['example.com/m/v2', 'v3.0.0+incompatible'],
    ['example.com/m/v2', `v0.0.0-${pseudo}`],
    ['example.com/m/v99999999999999999999', 'v99999999999999999998.0.0'],
    ['example.com/x.v1', 'v2.0.0'],
    ['gopkg.in/check.v1', 'v0.1.0'],
    ['gopkg.in/check.v1', 'v0.0.0'],
    ['gopkg.in/check.v1', `v0.0.1-0.${pseudo}`],
    ['gopkg.in/yaml.v2', `v0.0.0-${pseudo}`],
    ['gopkg.in/yaml.v2', 'v3.0.0+incompatible'],
    ['gopkg.in/yaml.v-unstable', 'v0.0.0'],
  ])('%s cannot have %s', (path, version) => {
    expect(versionFitsPath(modulePath(path), canonical(version))).toBe(false);
  });
});
