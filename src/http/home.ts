import type { Config } from '../config/config.ts';

/** What somebody who opens the address in a browser, or with curl, needs to know. */
export function homePage(
  { origins, databases }: Pick<Config, 'databases' | 'origins'>,
  address: string,
): string {
  return `modferry: a Go module proxy

Use it:
  go env -w GOPROXY=${address}

Leave GOSUMDB on: ${databases.length > 0 ? `${databases.map(({ name }) => name).join(', ')} is carried here too` : 'no checksum database is carried here'}.
Only what is stored, and no fetching: ${address}/cached-only

Modules come from ${origins.map(({ name }) => name).join(', ')}.
`;
}
