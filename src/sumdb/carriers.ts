import { groupsOf } from '../origins/race/order.ts';
import type { Origin } from '../origins/origin.ts';
import type { Database } from './database.ts';

/**
 * The database, to be asked through its carriers too: a module proxy that passes requests on to a
 * checksum database has it below `<origin>/sumdb/<name>/`, where the go command looks for it as
 * well. Where the database's own addresses are blocked, the proxies often are not, and its answers
 * are proven whoever passes them on.
 *
 * An origin with `modules` carries nothing, as it is asked about its own modules alone. Nor does an
 * origin behind a `,`: it is told the name of a module only when those before it answered 404.
 */
export function withCarriers(database: Database, origins: readonly Origin[]): Database {
  const own = new Set(database.origins.map(({ url }) => url));
  const [first = []] = groupsOf(origins.filter(({ modules }) => modules === undefined));
  const carriers = first
    .map((origin) => carrierOf(database, origin))
    .filter(({ url }) => !own.has(url));
  return { ...database, origins: [...database.origins, ...carriers] };
}

/** The database at its own addresses alone. */
export function withoutCarriers(database: Database): Database {
  return { ...database, origins: database.origins.filter(({ carries }) => carries === undefined) };
}

function carrierOf({ name: carries }: Database, origin: Origin): Origin {
  const { authorization, limits, name, regions, url } = origin;
  return {
    name: `${name}/sumdb/${carries}`,
    url: `${url}/sumdb/${carries}`,
    fallback: 'any',
    regions,
    authorization,
    limits,
    carries,
  };
}
