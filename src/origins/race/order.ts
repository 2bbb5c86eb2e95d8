import { matches } from '../../module/patterns.ts';
import type { ModulePath } from '../../module/module-path.ts';
import { percentile } from '../health/latency.ts';
import type { Origin } from '../origin.ts';
import type { Pool } from '../health/pool.ts';

/**
 * Where a request entered the network. Every field may be absent: locally, in tests, and where
 * Cloudflare does not know.
 */
export interface Region {
  /** Data centre, an IATA code such as `FRA`. */
  readonly dataCentre?: string;
  /** ISO 3166-1 alpha-2 code such as `DE`. */
  readonly country?: string;
  /** Continent code such as `EU`. */
  readonly continent?: string;
}

/**
 * The origins that may be asked for a module, in their configured order.
 *
 * An origin whose `modules` names a module is asked for it alone, and for nothing else: the paths
 * of a company's modules reach no public origin, also while its own one is down. A module that
 * PRIVATE names is asked of no other.
 */
export function originsFor(
  origins: readonly Origin[],
  module: ModulePath,
  { isPrivate }: { readonly isPrivate: boolean },
): readonly Origin[] {
  const own = origins.filter((origin) => origin.modules && matches(origin.modules, module));
  return own.length > 0 || isPrivate ? own : origins.filter((origin) => !origin.modules);
}

/** Origins joined by `|` are mirrors of one another; each `,` ends a group of them. */
export function groupsOf(origins: readonly Origin[]): readonly (readonly Origin[])[] {
  const groups: Origin[][] = [[]];
  for (const [index, origin] of origins.entries()) {
    groups.at(-1)?.push(origin);
    if (origin.fallback === 'missing' && index < origins.length - 1) groups.push([]);
  }
  return groups;
}

export interface Circumstances {
  readonly region: Region;
  readonly pool: Pool;
  readonly isZip: boolean;
  /** Whether an origin is not to be asked before any other one. */
  readonly isLast?: ((origin: Origin) => boolean) | undefined;
}

/**
 * Mirrors, best first:
 *
 * 1. those that are well, then those that failed last time, then those with an open breaker (the
 *    one that closes first before the others): wherever an origin is, a client that waits for it in
 *    vain is not nearer to its module;
 * 2. those preferred where the request came in;
 * 3. by median latency, in the steps 200 ms, 400 ms, 800 ms and so on: within one the configured
 *    order decides.
 *
 * Who gave a wrong file comes last of all for that file.
 */
export function rankOrigins(
  group: readonly Origin[],
  circumstances: Circumstances,
): readonly Origin[] {
  const { isLast, isZip, pool, region } = circumstances;
  const here = [region.dataCentre, region.country, region.continent];
  const ranked = group.map((origin) => {
    const key = [
      isLast?.(origin) ? 1 : 0,
      pool.isUnwell(origin, isZip) ? 1 : 0,
      pool.breaker(origin, isZip).until,
      origin.regions.some((code) => here.includes(code)) ? 0 : 1,
      latencyStep(pool, origin),
    ];
    return { origin, key };
  });
  return ranked.toSorted((a, b) => compare(a.key, b.key)).map(({ origin }) => origin);
}

/**
 * Milliseconds of median latency of the lowest step, in which is also who is not known well enough.
 */
const LOWEST_STEP = 200;

function latencyStep(pool: Pool, origin: Origin): number {
  const median = percentile(pool.health(origin).latency, 0.5) ?? 0;
  return Math.max(Math.floor(Math.log2(median / LOWEST_STEP)) + 1, 0);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
