import { failed, type Result, success } from '../effects/result.ts';
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
 * A request of the GOPROXY protocol (https://go.dev/ref/mod#goproxy-protocol).
 *
 * `info` is the `.info` of a canonical version that the module can have. Every other revision is a
 * `query`, whose answer may change: a branch, a commit hash, `v1.2.3+meta`, or `v3.0.0` where the
 * answer may be `v3.0.0+incompatible`.
 */
export type ModuleRequest =
  | { readonly kind: 'list'; readonly module: ModulePath }
  | { readonly kind: 'latest'; readonly module: ModulePath }
  | { readonly kind: 'info'; readonly module: ModulePath; readonly version: Version }
  | { readonly kind: 'mod'; readonly module: ModulePath; readonly version: Version }
  | { readonly kind: 'zip'; readonly module: ModulePath; readonly version: Version }
  | { readonly kind: 'query'; readonly module: ModulePath; readonly query: Version | VersionQuery };

/**
 * Queries that the go command itself resolves from the list. In a request they could only mean a
 * branch of that name.
 */
const CLIENT_SIDE_QUERIES: readonly string[] = ['latest', 'upgrade', 'patch'];

/**
 * Parses the path of a URL, with its leading slash and still percent-encoded. A failure completes
 * the sentence "not found: …". Source of the grammar: cmd/go/internal/modfetch/proxy.go and
 * golang.org/x/mod/module.
 */
export function parseModuleRequest(pathname: string): Result<ModuleRequest> {
  const path = decodePath(pathname);
  if (path === undefined) return failed('invalid path');
  // A module path cannot contain `@`, a version can: the first `/@` ends the module path.
  const at = path.indexOf('/@');
  if (at < 1) return failed('missing /@v/ or /@latest');
  const escapedPath = path.slice(1, at);
  const endpoint = path.slice(at + 1);

  const module = unescapeModulePath(escapedPath);
  if (module === undefined) return failed(`invalid escaped module path: ${describe(escapedPath)}`);
  if (endpoint === '@latest') return success({ kind: 'latest', module });
  if (endpoint === '@v/list') return success({ kind: 'list', module });
  const file = /^@v\/(?<version>[^/]+)\.(?<extension>info|mod|zip)$/.exec(endpoint)?.groups;
  if (!file) return failed('no such file: a version has .info, .mod and .zip');
  const version = unescapeVersionElement(file['version'] ?? '');
  if (version === undefined) return failed('invalid escaped version');
  return parseVersionFile(module, version, file['extension'] ?? '');
}

/**
 * What a path names as its module, whether that is a module path or not: a request that is malformed
 * may still be about a private module, and is then answered to those alone who may have it.
 */
export function namedModule(pathname: string): string {
  const path = decodePath(pathname) ?? pathname;
  const escaped = path.split('/@')[0] ?? '';
  return (unescapeUpperCase(escaped) ?? escaped).split('/').filter(Boolean).join('/');
}

function parseVersionFile(
  module: ModulePath,
  text: string,
  extension: string,
): Result<ModuleRequest> {
  const version = parseVersion(text);
  const fits = version !== undefined && versionFitsPath(module, version);
  if (extension === 'info') {
    if (fits) return success({ kind: 'info', module, version });
    const query = version ?? parseVersionQuery(text);
    if (query === undefined || CLIENT_SIDE_QUERIES.includes(query))
      return failed('invalid version');
    return success({ kind: 'query', module, query });
  }
  if (version === undefined) return failed('only a canonical version has a .mod and a .zip');
  if (!fits)
    return failed(`${text} is no version of this module path: the major version does not fit`);
  return success({ kind: extension === 'mod' ? 'mod' : 'zip', module, version });
}

/** Why an escaped module path is invalid. */
function describe(escapedPath: string): string {
  const path = unescapeUpperCase(escapedPath);
  if (path !== undefined) return describeBadModulePath(path) ?? 'malformed module path';
  return /[A-Z]/.test(escapedPath)
    ? 'upper case letters are written as !a'
    : 'a stray "!" or a letter outside of ASCII';
}
