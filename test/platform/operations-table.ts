import { type Counts, externalOf } from './operations.ts';

/**
 * What each kind of request costs, background work included. `fetch`, and of the Cache API match,
 * put and delete; of KV reads, writes and deletes; of R2 class B, class A and what is free; and the
 * external subrequests, of which the free plan has 50: `fetch` and the Cache API together.
 *
 * test/platform/requests.ts says what each name stands for. The test of this table prints the line
 * that replaces one whose numbers have become smaller.
 */
export const OPERATIONS_TABLE = `
| request                               | fetch | cache m/p/d | KV r/w/d | R2 B/A/d | ext |
| ------------------------------------- | ----: | ----------: | -------: | -------: | --: |
| warm list                             |     0 |       1/0/0 |    0/0/0 |    0/0/0 |   1 |
| warm @latest                          |     0 |       1/0/0 |    0/0/0 |    0/0/0 |   1 |
| warm .info                            |     0 |       1/0/0 |    0/0/0 |    0/0/0 |   1 |
| warm .mod                             |     0 |       1/0/0 |    0/0/0 |    0/0/0 |   1 |
| warm .zip                             |     0 |       1/0/0 |    0/0/0 |    0/0/0 |   1 |
| warm lookup                           |     0 |       1/0/0 |    0/0/0 |    0/0/0 |   1 |
| warm tile                             |     0 |       1/0/0 |    0/0/0 |    0/0/0 |   1 |
| warm tree head                        |     0 |       1/0/0 |    0/0/0 |    0/0/0 |   1 |
| warm .mod, fresh isolate              |     0 |       2/0/0 |    0/0/0 |    0/0/0 |   2 |
| warm .mod, 11 s later                 |     0 |       1/0/0 |    0/0/0 |    0/0/0 |   1 |
| warm .mod, 31 s later                 |     0 |       2/1/0 |    0/0/0 |    1/0/0 |   3 |
| warm .mod, 61 s later                 |     0 |       2/1/0 |    0/0/0 |    1/0/0 |   3 |
| stored .info, edge miss               |     0 |       1/1/0 |    1/0/0 |    0/0/0 |   2 |
| stored .mod, edge miss                |     0 |       1/1/0 |    1/0/0 |    0/0/0 |   2 |
| stored .mod, edge and KV miss         |     0 |       1/1/0 |    1/1/0 |    1/0/0 |   2 |
| stored .zip, edge miss                |     0 |       1/1/0 |    0/0/0 |    1/0/0 |   2 |
| stored .zip, HEAD                     |     0 |       1/0/0 |    0/0/0 |    1/0/0 |   1 |
| stored .zip, 304                      |     0 |       1/0/0 |    0/0/0 |    1/0/0 |   1 |
| stored .zip, range                    |     0 |       1/0/0 |    0/0/0 |    2/0/0 |   1 |
| stored large .zip, edge miss          |     0 |       1/0/0 |    0/0/0 |    2/0/0 |   1 |
| stored large .zip, HEAD               |     0 |       1/0/0 |    0/0/0 |    2/0/0 |   1 |
| stored large .zip, range              |     0 |       1/0/0 |    0/0/0 |    3/0/0 |   1 |
| stored lookup, edge miss              |     0 |       1/1/0 |    0/0/0 |    1/0/0 |   2 |
| stored tile, edge miss                |     0 |       1/1/0 |    0/0/0 |    1/0/0 |   2 |
| list, 61 s old                        |     1 |       4/3/0 |    1/0/0 |    2/0/0 |   8 |
| @latest, 61 s old                     |     1 |       4/3/0 |    1/0/0 |    2/0/0 |   8 |
| tree head, 61 s old                   |     1 |       4/3/0 |    1/0/0 |    1/0/0 |   8 |
| cold list                             |     1 |       1/1/0 |    0/0/0 |    1/1/0 |   3 |
| cold @latest                          |     1 |       1/1/0 |    0/0/0 |    1/1/0 |   3 |
| cold .info                            |     1 |       1/1/0 |    1/1/0 |    1/1/0 |   3 |
| cold .mod, nothing known of the log   |     9 |       1/1/0 |    1/1/0 |    7/7/0 |  11 |
| cold .mod, tree head stored           |     8 |       2/1/0 |    2/1/0 |    7/4/0 |  11 |
| cold .mod, tree head known            |     4 |       1/1/0 |    1/1/0 |    4/4/0 |   6 |
| cold .mod, new tree head              |     7 |       1/1/0 |    1/1/0 |    8/7/0 |   9 |
| cold .zip, lookup known               |     1 |       1/1/0 |    0/0/0 |    2/2/0 |   3 |
| cold .zip, tree head known            |     4 |       1/1/0 |    0/0/0 |    4/5/0 |   6 |
| cold .zip, nothing known of the log   |     9 |       1/1/0 |    0/0/0 |    7/8/0 |  11 |
| cold large .zip, tree head known      |     4 |       1/0/0 |    0/0/0 |    9/5/0 |   5 |
| cold lookup, tree head known          |     3 |       1/1/0 |    0/0/0 |    3/3/0 |   5 |
| cold lookup, nothing known of the log |     8 |       1/1/0 |    0/0/0 |    6/6/0 |  10 |
| cold tree head                        |     1 |       1/1/0 |    0/0/0 |    3/2/0 |   3 |
| cold tile, tree head known            |     2 |       1/1/0 |    0/0/0 |    2/2/0 |   4 |
| partial tile of a stored full one     |     0 |       2/0/0 |    0/0/0 |    1/0/0 |   2 |
| missing version                       |     1 |       1/2/0 |    0/0/0 |    0/0/0 |   4 |
| missing version, again                |     0 |       1/0/0 |    0/0/0 |    0/0/0 |   1 |
| missing version, 61 s later           |     1 |       4/4/0 |    1/0/0 |    1/0/0 |   9 |
| missing module                        |     1 |       2/2/0 |    0/0/0 |    1/1/0 |   5 |
| missing module, again                 |     0 |       1/0/0 |    0/0/0 |    0/0/0 |   1 |
| missing module, 61 s later            |     1 |       5/3/0 |    1/0/0 |    1/0/0 |   9 |
| supported                             |     0 |       0/0/0 |    0/0/0 |    0/0/0 |   0 |
| healthz                               |     0 |       0/0/0 |    0/0/0 |    0/0/0 |   0 |
| readyz                                |     0 |       1/1/0 |    2/0/0 |    0/0/0 |   2 |
| cron                                  |     8 |       2/1/0 |    5/2/0 |    3/3/0 |  11 |
`;

/** The line of the table for these calls. */
export function formatRow(name: string, counts: Counts): string {
  const { cacheDelete, cacheMatch, cachePut, fetch, kvDelete, kvRead, kvWrite } = counts;
  const { r2Delete, r2Read, r2Write } = counts;
  const cells = [
    name.padEnd(37),
    String(fetch).padStart(5),
    `${cacheMatch}/${cachePut}/${cacheDelete}`.padStart(11),
    `${kvRead}/${kvWrite}/${kvDelete}`.padStart(8),
    `${r2Read}/${r2Write}/${r2Delete}`.padStart(8),
    String(externalOf(counts)).padStart(3),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The line of that name; undefined where the table has none. */
export function rowOf(name: string): string | undefined {
  return OPERATIONS_TABLE.split('\n').find((line) => line.startsWith(`| ${name.padEnd(37)} |`));
}
