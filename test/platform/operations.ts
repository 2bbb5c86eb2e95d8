/** The kinds of calls that an invocation may make, as they are limited and billed. */
export const OPERATIONS = [
  'fetch',
  'cacheMatch',
  'cachePut',
  'cacheDelete',
  'kvRead',
  'kvWrite',
  'kvDelete',
  /** Class B of R2: get and head. */
  'r2Read',
  /** Class A of R2: put, list, and all of a multipart upload but its abort. */
  'r2Write',
  /** What R2 does not bill: delete, and the abort of a multipart upload. */
  'r2Delete',
] as const;

export type Operation = (typeof OPERATIONS)[number];

export type Counts = Readonly<Record<Operation, number>>;

const EXTERNAL: readonly Operation[] = ['fetch', 'cacheMatch', 'cachePut', 'cacheDelete'];

/** Whether the call counts as an external subrequest, as those to KV and R2 do not. */
export function isExternal(operation: Operation): boolean {
  return EXTERNAL.includes(operation);
}

/** The number of external subrequests. */
export function externalOf(counts: Counts): number {
  return EXTERNAL.reduce((sum, operation) => sum + counts[operation], 0);
}
