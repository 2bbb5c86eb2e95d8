import { beforeAll, describe, expect, it } from 'vitest';
import { excess, GOALS } from './goals.ts';
import type { Counts } from './operations.ts';
import { formatRow, OPERATIONS_TABLE, rowOf } from './operations-table.ts';
import { REQUESTS } from './requests.ts';
import { createScene } from './scene.ts';

// What a request costs is fixed by a table. A number that grows is a price that somebody pays; one
// that shrinks is a line of the table to replace.

const measured = new Map<string, Counts>();
beforeAll(async () => {
  for (const [name, measure] of Object.entries(REQUESTS))
    measured.set(name, await measure(createScene()));
}, 120_000);

function countsOf(name: string): Counts {
  const counts = measured.get(name);
  if (!counts) throw new Error(`Cannot find the request "${name}"`);
  return counts;
}

describe('a request makes the calls of the table', () => {
  it.each(Object.keys(REQUESTS))('%s', (name) => {
    expect(formatRow(name, countsOf(name))).toBe(rowOf(name));
  });

  it('which has no other lines', () => {
    expect(OPERATIONS_TABLE.trim().split('\n')).toHaveLength(Object.keys(REQUESTS).length + 2);
  });
});

describe('a request makes no more calls than its goal', () => {
  it.each(GOALS)('$request', (goal) => {
    expect(excess(goal, countsOf(goal.request))).toEqual([]);
  });
});
