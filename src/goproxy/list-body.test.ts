import { expect, it } from 'vitest';
import { bytes, modulePath, text } from '../../test/fakes/effects/values.ts';
import { formatList, parseList } from './list-body.ts';

const MODULE = modulePath('example.com/x');

it.each([
  ['', []],
  ['v1.0.0', ['v1.0.0']],
  ['v1.10.0\nv1.9.0\nv1.9.0\n', ['v1.9.0', 'v1.10.0']],
  ['v1.0.0 2024-01-15T10:00:00Z\r\nv1.1.0\r\n', ['v1.0.0', 'v1.1.0']],
  ['junk\nv1\nmain\nv1.0.0+meta\nv1.0.0-rc.1\n', ['v1.0.0-rc.1']],
  ['v0.0.0-20240101000000-abcdefabcdef\nv0.1.0\n', ['v0.1.0']],
  ['v2.0.0\nv2.0.0+incompatible\n', ['v2.0.0+incompatible']],
])('of %j the versions are %j', (body, versions) => {
  expect(parseList(bytes(body), MODULE)).toEqual(versions);
});

it('a list has one version a line', () => {
  expect(text(formatList(parseList(bytes('v1.1.0\nv1.0.0'), MODULE)))).toBe('v1.0.0\nv1.1.0\n');
  expect(text(formatList([]))).toBe('');
});
