import { expect, it } from 'vitest';
import { isNotModified, parseRange } from './conditional.ts';
import { errorText } from './plain-text.ts';

it.each([
  [undefined, false],
  ['"a"', true],
  ['W/"a"', true],
  [' "b" , "a" ', true],
  ['*', true],
  ['"b"', false],
  ['a', false],
  ['', false],
])('If-None-Match: %s for "a" is %s', (header, same) => {
  expect(isNotModified(header, '"a"')).toBe(same);
});

it.each([
  [undefined, undefined],
  ['bytes=0-0', { offset: 0, length: 1 }],
  ['bytes=10-19', { offset: 10, length: 10 }],
  ['bytes=90-', { offset: 90, length: 10 }],
  ['bytes=90-500', { offset: 90, length: 10 }],
  ['bytes=-10', { offset: 90, length: 10 }],
  ['bytes=-500', { offset: 0, length: 100 }],
  [' bytes=0-99 ', { offset: 0, length: 100 }],
  ['bytes=100-', 'unsatisfiable'],
  ['bytes=-0', 'unsatisfiable'],
  ['bytes=5-3', undefined],
  ['bytes=-', undefined],
  ['bytes=0-1,5-6', undefined],
  ['items=0-1', undefined],
  ['bytes=a-b', undefined],
])('Range: %s of 100 bytes is %j', (header, range) => {
  expect(parseRange(header, 100)).toEqual(range);
});

it.each([
  ['plain', 'plain (request r)\n'],
  ['two\nlines\tand\u0007bells', 'two lines and bells (request r)\n'],
])('%j is told as %j', (text, told) => expect(errorText(text, 'r')).toBe(told));

it.each(['x'.repeat(5000), 'ä'.repeat(5000), '€'.repeat(5000), '😀'.repeat(5000)])(
  'a long text is cut to what a go command shows, between characters',
  (text) => {
    const told = errorText(text, 'r');
    expect(new TextEncoder().encode(told).length).toBeLessThanOrEqual(600);
    expect(told).toMatch(/^(.)\1+… \(request r\)\n$/u);
  },
);
