import { expect, it } from 'vitest';
import { hashMod } from './hash-mod.ts';

it.each([
  ['module example.com/dep\n\ngo 1.18\n', 'h1:WSQVVkzisfSKy5IAGHvpHm0MKSrZhF0Zc7f0B3QEwJc='],
  ['', 'h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY='],
])('hashes the go.mod %j as Go does', (mod, h1) => {
  expect(hashMod(new TextEncoder().encode(mod))).toBe(h1);
});
