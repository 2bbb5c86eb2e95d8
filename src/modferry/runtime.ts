import type { Clock } from '../effects/clock.ts';
import type { SharedStates } from '../effects/shared-state.ts';
import type { OpenPipe } from '../mirror/context.ts';
import type { Tiers } from '../store/tiers.ts';
import type { Sink } from '../telemetry/event.ts';
import type { HashPairs } from '../tlog/hash-tile.ts';

/** The platform that modferry runs on: Cloudflare, Node, or a test. */
export interface Runtime {
  readonly tiers: Tiers;
  readonly sharedStates: SharedStates;
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly openPipe: OpenPipe;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Default: a random UUID. */
  readonly newRequestId?: (() => string) | undefined;
  /** Hashes the tiles of checksum databases. Default: native code, hash by hash. */
  readonly hashPairs?: HashPairs | undefined;
  /** Receives every event. */
  readonly sink: Sink;
}
