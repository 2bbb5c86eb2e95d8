import { matches } from '../access/patterns.ts';
import type { ModulePath } from '../goproxy/module-path.ts';
import type { Origin } from './origin.ts';

/** Where a request entered the network. Every field may be absent: locally, in tests, and where Cloudflare does not know. */
export interface Region {
  /** Data centre, an IATA code such as `FRA`. */
  readonly dataCentre?: string;
  /** ISO 3166-1 alpha-2 code such as `DE`. */
  readonly country?: string;
  /** Continent code such as `EU`. */
  readonly continent?: string;
}

/**
 * The origins that may be asked for a module, best first: those preferred where the request came in go before the
 * others, and otherwise the configured order stands.
 *
 * An origin whose `modules` names a module is asked for it alone, and for nothing else: the paths of a company's modules
 * reach no public origin, also while its own one is down. A module that PRIVATE names is asked of no other.
 */
export function orderOrigins(
  origins: readonly Origin[],
  module: ModulePath,
  { isPrivate, region }: { readonly isPrivate: boolean; readonly region: Region },
): readonly Origin[] {
  const here = [region.dataCentre, region.country, region.continent];
  const near = (origin: Origin) => origin.regions.some((code) => here.includes(code));
  const own = origins.filter((origin) => origin.modules && matches(origin.modules, module));
  const allowed = own.length > 0 || isPrivate ? own : origins.filter((origin) => !origin.modules);
  return [...allowed.filter(near), ...allowed.filter((origin) => !near(origin))];
}
