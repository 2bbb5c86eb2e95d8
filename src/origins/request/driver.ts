import type { Origin } from '../origin.ts';

/**
 * How one origin is asked for a path below its base. A GOPROXY over HTTP is one driver, a Git host
 * another: failover, breakers and resuming do not depend on the kind.
 *
 * Resolves with the final answer, whatever its status. Rejects with `OriginError` when the origin
 * breaks a rule, with `TimeoutError` when the headers take longer than `origin.limits` allows, and
 * with anything else when the connection fails or `signal` is aborted.
 */
export type OriginDriver = (path: string, init: DriverInit) => Promise<Response>;

export interface DriverInit {
  /** Sent besides the driver's own headers. */
  readonly headers: RangeHeaders;
  readonly signal: AbortSignal;
}

export type RangeHeaders = Readonly<Partial<Record<'Range' | 'If-Range', string>>>;

/** Opens the driver of an origin. */
export type OpenDriver = (origin: Origin) => OriginDriver;
