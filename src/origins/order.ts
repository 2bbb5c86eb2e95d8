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
 * A module that PRIVATE names is asked only of an origin whose `modules` names it too, and an origin with `modules` is
 * asked for nothing else: a private path never reaches a public origin, nor the other way round.
 */
export function orderOrigins(
  origins: readonly Origin[],
  module: ModulePath,
  { isPrivate, region }: { readonly isPrivate: boolean; readonly region: Region },
): readonly Origin[] {
  const here = [region.dataCentre, region.country, region.continent];
  const near = (origin: Origin) => origin.regions.some((code) => here.includes(code));
  const allowed = origins.filter((origin) => (origin.modules ? matches(origin.modules, module) : !isPrivate));
  return [...allowed.filter(near), ...allowed.filter((origin) => !near(origin))];
}
