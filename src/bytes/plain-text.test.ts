import { expect, it } from 'vitest';
import { maskControls, toPlainLine } from './plain-text.ts';

const HOSTILE = [
  ['an escape sequence', 'a\u001b[2Jb', 'a\ufffd[2Jb', 'a [2Jb'],
  ['a line break', 'a\r\nb', 'a\ufffd\ufffdb', 'a b'],
  ['a mark for the direction of text', 'a\u202eb', 'a\ufffdb', 'a b'],
  ['a line separator', 'a\u2028b', 'a\ufffdb', 'a b'],
  ['a control character of the second set', 'a\u009bb', 'a\ufffdb', 'a b'],
  ['half a character', 'a\ud800b', 'a\ud800b', 'a b'],
  ['spaces of many kinds', ' a \u00a0\u3000b ', ' a \u00a0\u3000b ', 'a b'],
  ['letters of any script', 'ключ é 鍵', 'ключ é 鍵', 'ключ é 鍵'],
] as const;

it.each(HOSTILE)('%s in a name is masked in its place', (_, text, masked) => {
  expect(maskControls(text)).toBe(masked);
});

it.each(HOSTILE)('%s in a sentence is at most one space', (_, text, _masked, line) => {
  expect(toPlainLine(text)).toBe(line);
});
