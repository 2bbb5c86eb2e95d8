import { decodePath } from '../module/decode-path.ts';
import { escapeModulePath, type ModulePath, unescapeModulePath } from '../module/module-path.ts';
import {
  escapeVersion,
  parseVersion,
  unescapeVersionElement,
  type Version,
} from '../module/version.ts';
import { formatTilePath, parseTilePath, type Tile } from '../tlog/tile-path.ts';
import type { Database } from './database.ts';

/** What a client asks a checksum database for (https://go.dev/ref/mod#checksum-database). */
export type ChecksumRequest =
  | { readonly kind: 'supported'; readonly database: Database }
  | { readonly kind: 'tree head'; readonly database: Database }
  | {
      readonly kind: 'lookup';
      readonly database: Database;
      readonly module: ModulePath;
      readonly version: Version;
    }
  | { readonly kind: 'tile'; readonly database: Database; readonly tile: Tile };

/** A request for a file that the database has. */
export type ChecksumFileRequest = Exclude<ChecksumRequest, { readonly kind: 'supported' }>;

/**
 * Parses the path of a URL below `/sumdb/`, still percent-encoded. The name must be one of
 * `databases`, which have their own addresses: no address is ever made of what a client wrote.
 * Returns undefined for everything else, which clients see as a 404: this proxy does not carry that
 * database, and they ask it themselves.
 */
export function parseChecksumRequest(
  pathname: string,
  databases: readonly Database[],
): ChecksumRequest | undefined {
  const path = decodePath(pathname)?.slice('/sumdb/'.length);
  if (path === undefined) return undefined;
  // Names may contain slashes, `sum.example.test/v2` beside `sum.example.test`: the longest one
  // that fits counts.
  const database = databases
    .filter(({ name }) => path.startsWith(`${name}/`))
    .reduce<Database | undefined>(
      (longest, one) => (longest && longest.name.length > one.name.length ? longest : one),
      undefined,
    );
  if (!database) return undefined;
  const endpoint = path.slice(database.name.length + 1);
  if (endpoint === 'supported') return { kind: 'supported', database };
  if (endpoint === 'latest') return { kind: 'tree head', database };
  if (endpoint.startsWith('lookup/'))
    return parseLookup(endpoint.slice('lookup/'.length), database);
  const tile = parseTilePath(endpoint);
  return tile && { kind: 'tile', database, tile };
}

/** `<escaped module path>@<escaped canonical version>`; golang.org/x/mod/sumdb/server.go. */
function parseLookup(text: string, database: Database): ChecksumRequest | undefined {
  const [path = '', escaped = '', ...rest] = text.split('@');
  const module = unescapeModulePath(path);
  const version = parseVersion(unescapeVersionElement(escaped) ?? '');
  return module && version && rest.length === 0
    ? { kind: 'lookup', database, module, version }
    : undefined;
}

/** The path of a request at its database, without a leading slash. */
export function checksumPath(request: ChecksumFileRequest): string {
  if (request.kind === 'tree head') return 'latest';
  if (request.kind === 'tile') return formatTilePath(request.tile);
  return lookupPath(request.module, request.version);
}

/** The path of the record of a version, without a leading slash. */
export function lookupPath(module: ModulePath, version: Version): string {
  return `lookup/${escapeModulePath(module)}@${escapeVersion(version)}`;
}
