import { matches } from '../../module/patterns.ts';
import type { ModulePath } from '../../module/module-path.ts';
import type { Lane } from '../health/health.ts';
import { percentile } from '../health/latency.ts';
import type { HealthRegistry } from '../health/registry.ts';
import type { Origin } from '../origin.ts';

/**
 * Where a request entered the network. Every field may be absent: locally, in tests, and where
 * Cloudflare does not provide it.
 */
export interface Region {
  /** Data centre, an IATA code such as `FRA`. */
  readonly dataCentre?: string | undefined;
  /** ISO 3166-1 alpha-2 code such as `DE`. */
  readonly country?: string | undefined;
  /** Continent code such as `EU`. */
  readonly continent?: string | undefined;
}

/**
 * The origins that may be asked for a module, in their configured order.
 *
 * A module that the `modules` of some origin name is requested from such origins alone, and these
 * are asked for nothing else: the paths of a company's modules reach no public origin, also while
 * its own one is down. A module that PRIVATE names is requested from no other origin.
 *
 * No log says which bytes of a private module are right, and two registries of a company may have
 * different ones under one name. So its origins are asked one after the other, in the order that
 * somebody chose, and never in that of their latency.
 */
export function originsFor(
  origins: readonly Origin[],
  module: ModulePath,
  { isPrivate }: { readonly isPrivate: boolean },
): readonly Origin[] {
  const own = origins.filter((origin) => origin.modules && matches(origin.modules, module));
  if (isPrivate) return own.map((origin) => ({ ...origin, fallback: 'in turn' }));
  return own.length > 0 ? own : origins.filter((origin) => !origin.modules);
}

/**
 * Origins joined by `|` are mirrors of one another; each `,` ends a group of them. One that is asked
 * in turn is a group of its own.
 */
export function groupsOf(origins: readonly Origin[]): readonly (readonly Origin[])[] {
  const groups: Origin[][] = [[]];
  for (const [index, origin] of origins.entries()) {
    groups.at(-1)?.push(origin);
    if (origin.fallback !== 'any' && index < origins.length - 1) groups.push([]);
  }
  return groups;
}

export interface RankOptions {
  readonly region: Region;
  readonly health: HealthRegistry;
  readonly lane: Lane;
  /** See `QuestionPolicy`. */
  readonly askLast?: ((origin: Origin) => boolean) | undefined;
}

/**
 * Mirrors, best first:
 *
 * 1. the healthy ones, then those that are suspect or held back, then those with an open breaker
 *    (the one that closes first before the others): a near origin that does not answer is of no use;
 * 2. those that are not carriers of a checksum database;
 * 3. those preferred where the request came in;
 * 4. by median latency, in the steps 200 ms, 400 ms, 800 ms and so on: within one the configured
 *    order decides.
 *
 * An origin that gave a wrong file before is last for that file.
 */
export function rankOrigins(
  group: readonly Origin[],
  { askLast, health, lane, region }: RankOptions,
): readonly Origin[] {
  const here = [region.dataCentre, region.country, region.continent];
  const ranked = group.map((origin) => {
    const key = [
      askLast?.(origin) ? 1 : 0,
      health.isSuspect(origin, lane) || health.isHeldBack(origin) ? 1 : 0,
      health.breaker(origin, lane).until,
      origin.carries === undefined ? 0 : 1,
      origin.regions.some((code) => here.includes(code)) ? 0 : 1,
      latencyStep(health, origin),
    ];
    return { origin, key };
  });
  return ranked.toSorted((a, b) => compare(a.key, b.key)).map(({ origin }) => origin);
}

/** Up to this median an origin is in the lowest step, as is one with too few answers. */
const LOWEST_STEP_MS = 200;

function latencyStep(health: HealthRegistry, origin: Origin): number {
  const medianMs = percentile(health.of(origin).latency, 0.5) ?? 0;
  return Math.max(Math.floor(Math.log2(medianMs / LOWEST_STEP_MS)) + 1, 0);
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
