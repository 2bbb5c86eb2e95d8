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

describe('with rules a request makes the same calls', () => {
  const OTHERS = {
    ALLOW: 'example.org/x,example.com',
    DENY: 'example.org,example.com/other@<v1.0.0',
  };
  const VERSIONS = { DENY: 'example.com/hello@>=v2.0.0,example.com/big@>=v2.0.0' };
  const ofVersions = Object.keys(REQUESTS).filter((name) => !/list|@latest/.test(name));

  it.each([
    ['are about other modules', OTHERS, Object.keys(REQUESTS)],
    ['are about other versions', VERSIONS, ofVersions],
  ])(
    'where they %s',
    async (_, variables, names) => {
      for (const name of names) {
        const counts = await REQUESTS[name]?.(createScene({ variables }));
        expect(counts && formatRow(name, counts)).toBe(rowOf(name));
      }
    },
    120_000,
  );

  it('or none, where they refuse it', async () => {
    const scene = createScene({ variables: { DENY: 'example.com/hello' } });
    const isolate = await scene.usedIsolate('A');
    for (const path of ['@v/list', '@latest', '@v/v1.1.0.info', '@v/v1.1.0.mod', '@v/v1.1.0.zip']) {
      const { counts, status } = await isolate.get(`/example.com/hello/${path}`);
      expect([path, status, Object.values(counts).filter((count) => count > 0)]).toEqual([
        path,
        403,
        [],
      ]);
    }
  });
});
