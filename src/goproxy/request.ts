import { decodePath } from '../module/decode-path.ts';
import {
  describeBadModulePath,
  type ModulePath,
  unescapeModulePath,
  versionFitsPath,
} from '../module/module-path.ts';
import { unescapeUpperCase } from '../module/escape.ts';
import {
  parseVersion,
  parseVersionQuery,
  unescapeVersionElement,
  type Version,
  type VersionQuery,
} from '../module/version.ts';

/**
 * What a client asks a module proxy for (https://go.dev/ref/mod#goproxy-protocol).
 *
 * `info` is the `.info` of a canonical version that the module can have; every other revision, a
 * branch, a hash, `v1.2.3+meta`, or `v3.0.0` where the answer may be `v3.0.0+incompatible`, is a
 * `query`: its answer may change.
 */
export type ModuleRequest =
  | { readonly kind: 'list'; readonly module: ModulePath }
  | { readonly kind: 'latest'; readonly module: ModulePath }
  | { readonly kind: 'info'; readonly module: ModulePath; readonly version: Version }
  | { readonly kind: 'mod'; readonly module: ModulePath; readonly version: Version }
  | { readonly kind: 'zip'; readonly module: ModulePath; readonly version: Version }
  | { readonly kind: 'query'; readonly module: ModulePath; readonly query: Version | VersionQuery };

/** A path that no module proxy has, and why. */
export interface Malformed {
  readonly kind: 'malformed';
  readonly reason: string;
}

/**
 * Queries that the go command resolves itself, from the list; as a revision they would name a
 * branch called so.
 */
const CLIENT_SIDE_QUERIES: readonly string[] = ['latest', 'upgrade', 'patch'];

/**
 * Parses the path of a URL, with its leading slash and still percent-encoded. Nothing behind this
 * function sees a raw path again. Source of the grammar: cmd/go/internal/modfetch/proxy.go and
 * golang.org/x/mod/module.
 */
export function parseModuleRequest(pathname: string): ModuleRequest | Malformed {
  const path = decodePath(pathname);
  if (path === undefined) return malformed('invalid path');
  // A version may contain `@`, a module path cannot: the first `/@` ends the module path.
  const at = path.indexOf('/@');
  if (at < 1) return malformed('missing /@v/ or /@latest');
  const escapedPath = path.slice(1, at);
  const endpoint = path.slice(at + 1);

  const module = unescapeModulePath(escapedPath);
  if (module === undefined)
    return malformed(`invalid escaped module path: ${describe(escapedPath)}`);
  if (endpoint === '@latest') return { kind: 'latest', module };
  if (endpoint === '@v/list') return { kind: 'list', module };
  const file = /^@v\/(?<version>[^/]+)\.(?<extension>info|mod|zip)$/.exec(endpoint)?.groups;
  if (!file) return malformed('no such file: a version has .info, .mod and .zip');
  const version = unescapeVersionElement(file['version'] ?? '');
  if (version === undefined) return malformed('invalid escaped version');
  return parseVersionFile(module, version, file['extension'] ?? '');
}

function parseVersionFile(
  module: ModulePath,
  text: string,
  extension: string,
): ModuleRequest | Malformed {
  const version = parseVersion(text);
  const fits = version !== undefined && versionFitsPath(module, version);
  if (extension === 'info') {
    if (fits) return { kind: 'info', module, version };
    const query = version ?? parseVersionQuery(text);
    if (query === undefined || CLIENT_SIDE_QUERIES.includes(query))
      return malformed('invalid version');
    return { kind: 'query', module, query };
  }
  if (version === undefined) return malformed('only a canonical version has a .mod and a .zip');
  if (!fits)
    return malformed(`${text} is no version of this module path: the major version does not fit`);
  return { kind: extension === 'mod' ? 'mod' : 'zip', module, version };
}

function describe(escapedPath: string): string {
  const path = unescapeUpperCase(escapedPath);
  if (path !== undefined) return describeBadModulePath(path) ?? 'malformed module path';
  return /[A-Z]/.test(escapedPath)
    ? 'upper case letters are written as !a'
    : 'a stray "!" or a letter outside of ASCII';
}

function malformed(reason: string): Malformed {
  return { kind: 'malformed', reason };
}
