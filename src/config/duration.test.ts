import { expect, it } from 'vitest';
import { parseTimeout } from './duration.ts';

it.each([
  ['500ms', 500],
  ['10s', 10_000],
  ['5m', 300_000],
  ['50ms', 50],
  ['49ms', undefined],
  ['10m', 600_000],
  ['11m', undefined],
  ['2h', undefined],
  ['0s', undefined],
  ['007s', 7000],
  ['', undefined],
  ['10', undefined],
  ['s', undefined],
  ['1.5s', undefined],
  ['-1s', undefined],
  ['1 s', undefined],
  ['1S', undefined],
  ['1m30s', undefined],
  ['1s\n', undefined],
  ['1w', undefined],
  ['1234567890s', undefined],
])('%j is %s ms', (text, ms) => {
  expect(parseTimeout(text)).toBe(ms);
});
