import { TOKENS } from '../fakes/tokens.ts';
import { parseConfig } from '../../src/config/config.ts';
import type { Variables } from '../../src/config/variables.ts';
import { type FakeClock, fakeClock } from '../fakes/effects/clock.ts';
import { type Faults, noFaults } from './faults.ts';
import { type Isolate, startIsolate } from './isolate.ts';
import { PAID, type PlatformLimits } from './limits.ts';
import { type MemoryBucket, memoryBucket } from './memory/bucket.ts';
import { edgeInMemory, type MemoryEdge } from './memory/edge.ts';
import { type MemoryNamespace, memoryNamespace } from './memory/namespace.ts';
import type { Fetch } from './wrap.ts';
import { WriteLimits } from './write-limits.ts';

/** The platform in memory: data centres with one bucket, one namespace and one clock. */
export interface World {
  readonly clock: FakeClock;
  readonly faults: Faults;
  readonly bucket: MemoryBucket;
  readonly namespace: MemoryNamespace;
  /** The data centre of that name, with its own edge cache. */
  dataCentre(name: string): DataCentre;
}

export interface DataCentre {
  readonly cache: MemoryEdge;
  /** Starts an isolate of the deployment. */
  isolate(): Isolate;
}

export interface WorldOptions {
  readonly variables: Variables;
  /** The network outside of the platform. */
  readonly fetch: Fetch;
  /** Default those of the paid plan. */
  readonly limits?: PlatformLimits;
}

export function createWorld({ fetch, limits = PAID, variables }: WorldOptions): World {
  const config = parseConfig({ TOKENS, ...variables });
  if (!config.ok) throw new Error(config.reason.join('; '));
  const { value } = config;
  const clock = fakeClock();
  const faults = noFaults();
  const bucket = memoryBucket();
  const namespace = memoryNamespace(clock);
  const platform = { clock, faults, writes: new WriteLimits(limits, clock) };
  const dataCentres = new Map<string, DataCentre>();

  function build(name: string): DataCentre {
    const cache = edgeInMemory(clock);
    const view = namespace.seenFrom(name);
    const passTime = (ms: number) => clock.advance(ms);
    const place = { dataCentre: name, config: value, limits, platform, passTime, cache, fetch };
    return { cache, isolate: () => startIsolate({ ...place, bucket, namespace: view }) };
  }

  return {
    clock,
    faults,
    bucket,
    namespace,
    dataCentre(name) {
      const dataCentre = dataCentres.get(name) ?? build(name);
      dataCentres.set(name, dataCentre);
      return dataCentre;
    },
  };
}
