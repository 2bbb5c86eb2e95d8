import { expect, it } from 'vitest';
import { decodePath } from './decode-path.ts';

it.each([
  ['/github.com/%21azure/@v/list', '/github.com/!azure/@v/list'],
  ['/github.com/!azure/@v/list', '/github.com/!azure/@v/list'],
  ['/m/@v/v1.0.0+incompatible.zip', '/m/@v/v1.0.0+incompatible.zip'],
  ['/m/@v/v1.0.0%2Bincompatible.zip', '/m/@v/v1.0.0+incompatible.zip'],
  ['/%2521azure', '/%21azure'],
  ['/caf%C3%A9', '/café'],
  [`/${'a'.repeat(2047)}`, `/${'a'.repeat(2047)}`],
])('%j is decoded once', (pathname, path) => {
  expect(decodePath(pathname)).toBe(path);
});

it.each([
  ['an empty element', '/a//b'],
  ['an encoded slash', '/a%2Fb'],
  ['an encoded slash in lower case', '/a%2fb'],
  ['an encoded backslash', '/a%5Cb'],
  ['an encoded NUL', '/a%00b'],
  ['a percent sign alone', '/a%'],
  ['half a character of UTF-8', '/a%C3'],
  ['2049 characters', `/${'a'.repeat(2048)}`],
])('a path with %s is refused', (_, pathname) => {
  expect(decodePath(pathname)).toBeUndefined();
});
