import { describe, expect, it, test } from 'vitest';
import { escapeUpperCase, isWindowsDeviceName, unescapeUpperCase } from './escape.ts';

describe('escaping', () => {
  it.each([
    ['', ''],
    ['github.com/azure/x', 'github.com/azure/x'],
    ['github.com/Azure/azure-sdk-for-go', 'github.com/!azure/azure-sdk-for-go'],
    ['github.com/BurntSushi/toml', 'github.com/!burnt!sushi/toml'],
    ['github.com/ABC', 'github.com/!a!b!c'],
    ['v1.0.1-RC1', 'v1.0.1-!r!c1'],
    ['v2.0.0+incompatible', 'v2.0.0+incompatible'],
    ['HEAD', '!h!e!a!d'],
    ['AZ', '!a!z'],
  ])('%j and %j stand for each other', (text, escaped) => {
    expect(escapeUpperCase(text)).toBe(escaped);
    expect(unescapeUpperCase(escaped)).toBe(text);
  });

  test('everything in ASCII but upper-case letters and ! stays as it is', () => {
    const others = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))
      .filter((character) => !/[A-Z!]/.test(character))
      .join('');
    expect(escapeUpperCase(others)).toBe(others);
    expect(unescapeUpperCase(others)).toBe(others);
  });
});

describe('unescaping is strict', () => {
  it.each([
    ['a raw upper-case letter', 'github.com/Azure/Thing'],
    ['a raw upper-case letter after !', 'github.com/!Azure/x'],
    ['a doubled !', 'github.com/!!azure/x'],
    ['a ! before /', 'github.com/a!/x'],
    ['a ! before a digit', 'github.com/!1/x'],
    ['a ! before the character below a', '!`'],
    ['a ! before the character above z', '!{'],
    ['a ! at the end', 'github.com/azure!'],
    ['a lone !', '!'],
    ['a raw Z in a version', 'v1.1.0-!R'],
    ['U+0080', 'a\u0080'],
    ['a letter outside ASCII', 'h\u00e9llo'],
    ['a letter outside ASCII after !', '!\u00e9'],
    ['the Kelvin sign, whose lower case is k', '\u212a'],
    ['a character outside the basic plane', 'a\u{1f600}'],
    ['half a surrogate pair', 'a\ud800'],
  ])('%s is refused', (_, escaped) => {
    expect(unescapeUpperCase(escaped)).toBeUndefined();
  });
});

describe('device names of Windows', () => {
  it.each([
    'con',
    'PRN',
    'Aux',
    'nul',
    'com1',
    'COM9',
    'lpt1',
    'LPT9',
    'aux.go',
    'COM1.tar.gz',
    'nul.',
  ])('%s opens a device', (name) => {
    expect(isWindowsDeviceName(name)).toBe(true);
  });

  it.each([
    '',
    'co',
    'conx',
    'xcon',
    'com',
    'com0',
    'com10',
    'lpt',
    'lpt0',
    'x.con',
    'con-1',
    '.con',
  ])('%j is a file name like any other', (name) => {
    expect(isWindowsDeviceName(name)).toBe(false);
  });
});
