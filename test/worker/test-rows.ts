import { it } from 'vitest';
import { type Row, type Target, titleOf } from '../conformance/row.ts';
import { runRow } from '../conformance/run-row.ts';

/** Declares one test a row; `target` is called when the tests run. */
export function testRows(rows: readonly Row[], target: () => Target): void {
  for (const row of rows) {
    const test = row.isIndependent ? it.concurrent : it;
    test(titleOf(row), async ({ expect }) => {
      expect(await runRow(row, target())).toEqual([]);
    });
  }
}
