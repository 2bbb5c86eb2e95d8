/** What the platform may do wrong. Tests change the fields while a Worker runs. */
export interface Faults {
  /** How long R2 waits before it does what it was asked for. */
  r2SilentMs: number | 'for ever';
  /** Whether every write to KV fails, as after the last one of a day on the free plan. */
  kvQuotaUsedUp: boolean;
  /** Whether the edge cache keeps what is put, drops it without a word, or rejects the put. */
  edgePuts: 'kept' | 'dropped' | 'rejected';
}

export function noFaults(): Faults {
  return { r2SilentMs: 0, kvQuotaUsedUp: false, edgePuts: 'kept' };
}
