/**
 * The one key scheme of every tier: the path of a file in `$GOMODCACHE/cache/download`.
 *
 * A copy of the bucket is therefore a `GOPROXY=file:///…` tree, and a copy of a developer's module
 * cache can seed it (golang.org/x/mod and cmd/go/internal/modfetch use the same layout). Keys are
 * built from parsed values only, never from a raw URL: `!azure`, `%21azure` and a query string must
 * meet in one entry, and nothing that a client typed can leave the scheme.
 */
import { escapeModulePath, type ModulePath } from '../module/module-path.ts';
import { escapeVersion, type Version, type VersionQuery } from '../module/version.ts';

export type StoreKey = string & { readonly __brand: 'StoreKey' };

function key(path: string): StoreKey {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the brand is given here and nowhere else
  return path as StoreKey;
}

/** Key of `@v/list` of a module. */
export function listKey(module: ModulePath): StoreKey {
  return key(`${escapeModulePath(module)}/@v/list`);
}

/** Key of `@latest` of a module. */
export function latestKey(module: ModulePath): StoreKey {
  return key(`${escapeModulePath(module)}/@latest`);
}

/**
 * Key of the `.info`, `.mod`, `.zip` or `.ziphash` of a version, or of the `.info` of a branch or
 * other query.
 */
export function versionKey(
  module: ModulePath,
  version: Version | VersionQuery,
  extension: 'info' | 'mod' | 'zip' | 'ziphash',
): StoreKey {
  return key(`${versionPrefix(module)}${escapeVersion(version)}.${extension}`);
}

/** What every version file of a module begins with. */
export function versionPrefix(module: ModulePath): string {
  return `${escapeModulePath(module)}/@v/`;
}

/** Key of the memory that an origin once said no to `known`; no module path begins with `@`. */
export function saidMissingKey(known: StoreKey): StoreKey {
  return key(`@missing/${known}`);
}

/**
 * Key of a checksum database's file: `path` is `latest`, `lookup/…` or `tile/…`, already escaped.
 */
export function checksumKey(database: string, path: string): StoreKey {
  return key(`sumdb/${database}/${path}`);
}

/** Key of what isolates tell each other; no module path begins with `-`. */
export function sharedKey(name: string): string {
  return `-/${name}`;
}
