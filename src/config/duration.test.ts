import { expect, it } from 'vitest';
import { parseTimeout } from './duration.ts';

it.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['5m', 300_000],
  ['50ms', 50],
  ['10m', 600_000],
  ['007s', 7000],
])('%j is a timeout of %d ms', (text, ms) => {
  expect(parseTimeout(text)).toBe(ms);
});

it.each([
  '49ms',
  '11m',
  '2h',
  '0s',
  '',
  '10',
  's',
  '1.5s',
  '-1s',
  '1 s',
  '1S',
  '1m30s',
  '1s\n',
  '1w',
  '1234567890s',
])('%j is no timeout', (text) => {
  expect(parseTimeout(text)).toBeUndefined();
});
