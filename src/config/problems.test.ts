import { expect, it } from 'vitest';
import { failed, success } from '../effects/result.ts';
import { allOf, problemsOf, type Parsed } from './problems.ts';

const parsed: readonly Parsed<number>[] = [failed(['a', 'b']), success(1), failed(['c'])];

it('the problems of several results are listed in their order', () => {
  expect(problemsOf(parsed)).toEqual(['a', 'b', 'c']);
});

it('several results are one list of values, or all of their problems', () => {
  expect(allOf([success(1), success(2)])).toEqual(success([1, 2]));
  expect(allOf(parsed)).toEqual(failed(['a', 'b', 'c']));
  expect(allOf([])).toEqual(success([]));
});
