import { expect, it } from 'vitest';
import { findPathProblem } from './file-path.ts';

it.each([
  'go.mod',
  'a/b/c.go',
  '.github/x',
  'ключ.txt',
  'a b',
  'aux_test.go',
  'com0',
  '#$%&()+,-.=@[]^_{}~!',
])('Go accepts %j', (path) => {
  expect(findPathProblem(path)).toBeUndefined();
});

it.each([
  ['', 'is not a clean path'],
  ['/a', 'is not a clean path'],
  ['a//b', 'is not a clean path'],
  ['a/../b', 'is not a clean path'],
  ['./a', 'is not a clean path'],
  ['a./b', 'has a path element that ends with a dot'],
  ['a:b', 'has a character that Go does not allow in a path'],
  ['a\\b', 'has a character that Go does not allow in a path'],
  ['e\u0301', 'has a character that Go does not allow in a path'],
  ['a\nb', 'has a character that Go does not allow in a path'],
  ['d/AUX.txt', 'has a path element that Windows reserves'],
])('Go refuses %j: it %s', (path, problem) => {
  expect(findPathProblem(path)).toBe(problem);
});
