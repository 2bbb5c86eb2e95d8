import { expect, it } from 'vitest';
import { isNearlyComplete } from './pace.ts';

const MB = 1_000_000;

it.each([
  ['of which the rest takes 15 s', { declared: 16 * MB, size: MB, received: MB, ms: 1000 }, true],
  [
    'of which the rest takes a byte longer',
    { declared: 16 * MB + 1, size: MB, received: MB, ms: 1000 },
    false,
  ],
  ['that is complete', { declared: 16 * MB, size: 16 * MB, received: 1, ms: 60_000 }, true],
  [
    'that came within one tick of the clock',
    { declared: 900 * MB, size: MB, received: MB, ms: 0 },
    true,
  ],
  [
    'that has a megabyte left at a crawl',
    { declared: 16 * MB, size: 15 * MB, received: 15, ms: 60_000 },
    false,
  ],
  ['of which nothing came so far', { declared: 16 * MB, size: MB, received: 0, ms: 0 }, false],
  ['of unknown length', { declared: undefined, size: MB, received: MB, ms: 1 }, false],
])('a body %s: %j is nearly complete: %s', (_, progress, nearly) => {
  expect(isNearlyComplete(progress)).toBe(nearly);
});
