import { expect, it } from 'vitest';
import { sha256 } from '../../bytes/sha256.ts';
import { compareNames, hashLines } from './h1.ts';

const name = (text: string) => new TextEncoder().encode(text);

it('the hash covers a line for each file: the sum in hex, two spaces, the name', () => {
  const lines = [
    { name: name('a'), sum: sha256(name('1')) },
    { name: name('b'), sum: sha256() },
  ];
  const [first, second] = lines.map(({ sum }) => Buffer.from(sum).toString('hex'));
  const digest = Buffer.from(sha256(name(`${first}  a\n${second}  b\n`))).toString('base64');
  expect(hashLines(lines)).toBe(`h1:${digest}`);
});

it('the hash of no lines is the hash of nothing', () => {
  expect(hashLines([])).toBe('h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=');
});

it('names are sorted by their bytes in UTF-8, a prefix first', () => {
  // In UTF-16 the last one, a pair of surrogates, would come before U+FFFF.
  const sorted = ['', 'B', 'a', 'a/b', 'ab', 'é', '\uffff', '\u{10400}'];
  expect([...sorted].toReversed().map(name).toSorted(compareNames)).toEqual(sorted.map(name));
  expect(compareNames(name('a'), name('a'))).toBe(0);
});
