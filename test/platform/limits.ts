/**
 * The limits of one invocation, and of a day.
 * https://developers.cloudflare.com/workers/platform/limits/ and
 * https://developers.cloudflare.com/kv/platform/limits/
 */
export interface PlatformLimits {
  /** Calls that wait for the headers of their answer at the same time. Further ones queue. */
  readonly connections: number;
  /** `fetch` and the Cache API together. */
  readonly externalCalls: number;
  /** R2 and KV together. */
  readonly inHouseCalls: number;
  readonly kvWritesPerDay: number;
  /** How long `waitUntil` continues after the answer was sent or the client left. */
  readonly waitUntilMs: number;
}

export const FREE: PlatformLimits = {
  connections: 6,
  externalCalls: 50,
  inHouseCalls: 1000,
  kvWritesPerDay: 1000,
  waitUntilMs: 30_000,
};

export const PAID: PlatformLimits = {
  ...FREE,
  externalCalls: 10_000,
  inHouseCalls: 10_000,
  kvWritesPerDay: Infinity,
};
