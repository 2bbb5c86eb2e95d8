import { table } from '../table.ts';
import type { CpuProfile } from './profiler.ts';

/** CPU in milliseconds that a request may take, by its kind. */
export type Budgets = Map<string, number>;
/** The profiles of a kind, one a round, divided by their requests. */
export type Measured = Map<string, CpuProfile[]>;

/** How many functions are listed. */
const TOP = 30;

/** One row a kind: the median of its rounds, the lowest and highest, and its budget. */
export function cpuTable(measured: Measured, budgets: Budgets): string {
  const rows = [...measured].map(([kind, profiles]) => {
    const totals = profiles.map(({ totalMs }) => totalMs);
    const ms = median(totals);
    const budget = budgets.get(kind);
    return [
      kind,
      ms.toFixed(2),
      `${Math.min(...totals).toFixed(2)}-${Math.max(...totals).toFixed(2)}`,
      median(profiles.map(({ garbageCollectionMs }) => garbageCollectionMs)).toFixed(2),
      budget?.toFixed(1) ?? '',
      budget === undefined || ms <= budget ? '' : 'over',
    ];
  });
  return table(
    ['CPU of the Worker, ms a request', 'median', 'range', 'of it GC', 'budget', ''],
    rows,
  );
}

/** The functions of a kind with the most CPU, by themselves and with what they call. */
export function topFunctions(kind: string, measured: Measured): string {
  const profiles = measured.get(kind);
  if (!profiles) {
    const kinds = [...measured.keys()].join(', ');
    throw new Error(`Cannot list the functions of "${kind}": the kinds are ${kinds}`);
  }
  const sums = new Map<string, { self: number; all: number }>();
  for (const { name, selfMs, withCalleesMs } of profiles.flatMap(({ functions }) => functions)) {
    const { self, all } = sums.get(name) ?? { self: 0, all: 0 };
    sums.set(name, { self: self + selfMs, all: all + withCalleesMs });
  }
  const rows = (by: 'self' | 'all') =>
    [...sums]
      .toSorted(([, a], [, b]) => b[by] - a[by])
      .slice(0, TOP)
      .map(([name, { self, all }]) => [name, each(self), each(all)]);
  const each = (ms: number) => (ms / profiles.length).toFixed(3);
  const headings = [`${kind}: function and line of the bundle`, 'self ms', 'with callees ms'];
  return `${table(headings, rows('self'))}\n\n${table(headings, rows('all'))}`;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}
