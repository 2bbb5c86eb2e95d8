import type { LogContext } from '../../sumdb/log-context.ts';

/** The context of a request that a policy looks at. */
export interface PolicyContext extends LogContext {
  /** The minimum age that the request asks for by itself, in milliseconds. */
  readonly cooldownMs?: number | undefined;
}
