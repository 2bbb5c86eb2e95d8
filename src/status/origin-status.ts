import type { HealthRegistry } from '../origins/health/registry.ts';
import type { ProbeHistory } from '../origins/probe/probe-history.ts';
import type { Upstream } from '../origins/upstream.ts';

/** All that this isolate has recorded of its upstreams. */
export interface OriginStatus {
  readonly upstreams: readonly Upstream[];
  readonly health: HealthRegistry;
  readonly history: ProbeHistory;
  /** In milliseconds since the epoch. */
  readonly now: number;
}
