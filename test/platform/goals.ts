import { type Counts, externalOf, OPERATIONS } from './operations.ts';

/** The most calls that a kind of request may make; without a limit where none is named. */
export interface Goal {
  /** A name of the table of operations. */
  readonly request: string;
  readonly most: Limits;
}

type Limits = Partial<Counts> & { readonly external?: number };

/** No calls but these. */
function only(limits: Limits): Limits {
  return { ...Object.fromEntries(OPERATIONS.map((operation) => [operation, 0])), ...limits };
}

function each(requests: readonly string[], most: Limits): Goal[] {
  return requests.map((request) => ({ request, most }));
}

const ONE_R2_READ = { r2Read: 1, r2Write: 0 };

export const GOALS: readonly Goal[] = [
  ...each(
    [
      'warm list',
      'warm @latest',
      'warm .info',
      'warm .mod',
      'warm .zip',
      'warm lookup',
      'warm tile',
      'warm tree head',
    ],
    only({ cacheMatch: 1 }),
  ),
  ...each(['warm .mod, 11 s later', 'warm .mod, fresh isolate'], only({ cacheMatch: 2 })),
  // Behind the answer the marks are read again: once in 30 s for all isolates of a data centre.
  ...each(
    ['warm .mod, 31 s later', 'warm .mod, 61 s later'],
    only({ cacheMatch: 2, cachePut: 1, r2Read: 1 }),
  ),
  ...each(
    [
      'stored .info, edge miss',
      'stored .mod, edge miss',
      'stored .mod, edge and KV miss',
      'stored .zip, edge miss',
      'stored .zip, HEAD',
      'stored .zip, 304',
      'stored lookup, edge miss',
      'stored tile, edge miss',
    ],
    ONE_R2_READ,
  ),
  // The mark of a streamed zip lies beside it, and a range is chosen by the size of the file.
  ...each(['stored .zip, range', 'stored large .zip, edge miss', 'stored large .zip, HEAD'], {
    r2Read: 2,
    r2Write: 0,
  }),
  { request: 'stored large .zip, range', most: { r2Read: 3, r2Write: 0 } },
  { request: 'cold .mod, nothing known of the log', most: { external: 25 } },
  { request: 'cold .mod, tree head stored', most: { external: 25 } },
  { request: 'cold .mod, tree head known', most: { external: 8 } },
  ...each(['missing version, again', 'missing module, again'], only({ cacheMatch: 1 })),
  { request: 'missing module, 61 s later', most: { r2Write: 0 } },
  { request: 'cron', most: { external: 40 } },
];

/** The calls beyond the goal, as `external: 32 of 25`. */
export function excess({ most }: Goal, counts: Counts): string[] {
  const all = { ...counts, external: externalOf(counts) };
  return Object.entries(all).flatMap(([name, count]) => {
    const limit = most[name as keyof Limits];
    return limit !== undefined && count > limit ? [`${name}: ${count} of ${limit}`] : [];
  });
}
