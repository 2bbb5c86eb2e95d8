import type { Config } from '../../config/config.ts';
import { isPrivateOrigin } from '../../origins/origin.ts';

/**
 * The home page as plain text, for a browser or curl. `address` is the URL of this proxy. An
 * origin that only some people may know of is not named.
 */
export function homePage(
  { origins, databases }: Pick<Config, 'databases' | 'origins'>,
  address: string,
): string {
  const databaseNames = databases.map(({ name }) => name).join(', ');
  const names = origins.filter((origin) => !isPrivateOrigin(origin)).map(({ name }) => name);
  const checksums =
    databaseNames === ''
      ? 'this proxy serves no checksum database'
      : `${databaseNames} is served here too`;
  return `modferry: a Go module proxy

Use it:
  go env -w GOPROXY=${address}

Leave GOSUMDB on: ${checksums}.
Stored modules only, without fetching: ${address}/cached-only

Modules come from ${names.join(', ')}.
`;
}
