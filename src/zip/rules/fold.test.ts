import { describe, expect, it } from 'vitest';
import { foldCase } from './fold.ts';

describe('foldCase', () => {
  it.each<[claim: string, a: string, b: string]>([
    ['English letters', 'README.md', 'readme.MD'],
    ['the Kelvin sign and k', '\u212a', 'k'],
    ['the long s and s', '\u017f', 'S'],
    ['the Angstrom sign and å', '\u212b', '\u00e5'],
    ['all three sigmas', '\u03c3\u03c2', '\u03a3\u03a3'],
    ['ß and its capital', '\u00df', '\u1e9e'],
    ['title case', '\u01c5', '\u01c4'],
    ['characters beyond the first plane', '\u{10400}', '\u{10428}'],
    ['Cherokee', '\u13a0', '\uab70'],
    ['letters whose capitals are different sequences', '\u1fd3\u1fe3\ufb06', '\u0390\u03b0\ufb05'],
    ['µ and μ', '\u00b5', '\u03bc'],
  ])('joins %s', (_, a, b) => expect(foldCase(`x/${a}/Y`)).toBe(foldCase(`X/${b}/y`)));

  it.each<[claim: string, a: string, b: string]>([
    ['the dotless i and i', '\u0131', 'i'],
    ['the I with a dot and i', '\u0130', 'i'],
    ['ß and ss', '\u00df', 'ss'],
    ['a ligature and its letters', '\ufb00', 'ff'],
    ['é and e with an accent', '\u00e9', 'e\u0301'],
    ['underscore and delete', '_', '\x7f'],
  ])('keeps %s apart', (_, a, b) => expect(foldCase(a)).not.toBe(foldCase(b)));

  it('agrees with the folding of regular expressions on every character that has a case', () => {
    const cased: string[] = [];
    for (let code = 0; code < 0x110000; code++) {
      const character = code >= 0xd800 && code < 0xe000 ? '' : String.fromCodePoint(code);
      if (/^[\p{Changes_When_Casemapped}\p{Changes_When_Casefolded}]$/u.test(character))
        cased.push(character);
    }
    const all = cased.join('');
    const byFold = Map.groupBy(cased, foldCase);
    const wrong = cased.filter((character) => {
      const equal = all.match(new RegExp(character, 'giu')) ?? [];
      return equal.join('') !== byFold.get(foldCase(character))?.join('');
    });
    expect(cased.length).toBeGreaterThan(2800);
    expect(wrong).toEqual([]);
  });
});
