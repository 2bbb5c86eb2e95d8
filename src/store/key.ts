/**
 * The one key scheme of every tier: the path of a file in `$GOMODCACHE/cache/download`.
 *
 * A copy of the bucket is therefore a `GOPROXY=file:///…` tree, and a copy of a developer's module
 * cache can seed it (golang.org/x/mod and cmd/go/internal/modfetch use the same layout). Keys are
 * built from parsed values only, never from a raw URL: `!azure`, `%21azure` and a query string must
 * lead to one entry, and no request can name a key outside the scheme.
 */
import {
  escapeModulePath,
  type ModulePath,
  unescapeModulePath,
  versionFitsPath,
} from '../module/module-path.ts';
import {
  escapeVersion,
  parseVersion,
  parseVersionQuery,
  unescapeVersionElement,
  type Version,
  type VersionQuery,
} from '../module/version.ts';

export type StoreKey = string & { readonly __brand: 'StoreKey' };

function key(path: string): StoreKey {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the brand is given here and nowhere else
  return path as StoreKey;
}

/** Key of a module's `@v/list`. */
export function listKey(module: ModulePath): StoreKey {
  return key(`${escapeModulePath(module)}/@v/list`);
}

/** Key of a module's `@latest`. */
export function latestKey(module: ModulePath): StoreKey {
  return key(`${escapeModulePath(module)}/@latest`);
}

/** Key of a file of a version, or of the `.info` of a branch or another query. */
export function versionKey(
  module: ModulePath,
  version: Version | VersionQuery,
  extension: VersionExtension,
): StoreKey {
  return key(`${versionPrefix(module)}${escapeVersion(version)}.${extension}`);
}

/** The prefix of the keys of all version files of a module. */
export function versionPrefix(module: ModulePath): string {
  return `${escapeModulePath(module)}/@v/`;
}

/**
 * Key of a checksum database's file: `path` is `latest`, `lookup/…` or `tile/…`, already escaped.
 */
export function checksumKey(database: string, path: string): StoreKey {
  return key(`sumdb/${database}/${path}`);
}

/** Key of the long-lived negative entry for outages. No module path begins with `@`. */
export function rememberedMissingKey(missing: StoreKey): StoreKey {
  return key(`@missing/${missing}`);
}

/** Key of a text that isolates share. No module path begins with `-`. */
export function sharedKey(name: string): string {
  return `-/${name}`;
}

const OWN = '.modferry/';

/** The prefixes of realms (realm.ts). No module path begins with an element without a dot. */
const REALMS = ['private/', 'hosted/'];

/** The files that modferry keeps for itself. */
export type OwnName =
  | 'marks.json'
  | 'self-test'
  | 'tokens.json'
  /** What was observed of the log of a checksum database, by its escaped name. */
  | `log/${string}.json`
  /** The records of a module's versions, by its escaped path. */
  | `ages/${string}.json`
  /** A file that is being published. */
  | `uploads/${string}`;

/** Key of a file that modferry keeps for itself. No module path begins with `.`. */
export function ownKey(name: OwnName): StoreKey {
  return key(OWN + name);
}

/**
 * What a mark for a key is about (marks.ts): the whole module of a module's file, in its escaped
 * form, and the very file of a checksum database.
 */
export function markSubject(marked: StoreKey): string {
  const path = marked.replace(/^@missing\//, '');
  return path.startsWith('sumdb/') ? path : path.replace(/\/@(latest|v\/[^/]*)$/, '');
}

/** The file that a key names. */
export type ParsedKey =
  | { readonly kind: 'list' | 'latest'; readonly module: ModulePath }
  | VersionFile
  /** The `.info` of a branch or another query, or of a version that cannot be the module's own. */
  | {
      readonly kind: 'query';
      readonly module: ModulePath;
      readonly query: Version | VersionQuery;
    }
  /** A file of a checksum database. `path` begins with the name of the database. */
  | { readonly kind: 'checksums'; readonly path: string }
  /** A file that modferry keeps for itself, or that only some people may read. */
  | { readonly kind: 'own' };

/** A file of a canonical version. */
export interface VersionFile {
  readonly kind: VersionExtension;
  readonly module: ModulePath;
  readonly version: Version;
}

type VersionExtension = 'info' | 'mod' | 'zip' | 'ziphash';

/**
 * Parses a key that a bucket or a directory lists. The inverse of the functions above, except for
 * negative entries and shared texts; undefined for any other text.
 */
export function parseKey(text: string): ParsedKey | undefined {
  if ([OWN, ...REALMS].some((prefix) => text.startsWith(prefix))) return { kind: 'own' };
  if (text.startsWith('sumdb/')) return { kind: 'checksums', path: text.slice('sumdb/'.length) };
  const [, escaped, name] = /^(.+)\/(@latest|@v\/[^/]+)$/.exec(text) ?? [];
  const module = unescapeModulePath(escaped ?? '');
  if (!module || name === undefined) return undefined;
  if (name === '@latest') return { kind: 'latest', module };
  return name === '@v/list' ? { kind: 'list', module } : parseVersionKey(module, name.slice(3));
}

function parseVersionKey(module: ModulePath, name: string): ParsedKey | undefined {
  const [, element, extension] = /^(.+)\.(info|mod|ziphash|zip)$/.exec(name) ?? [];
  const kind = EXTENSIONS.find((known) => known === extension);
  const text = unescapeVersionElement(element ?? '');
  if (kind === undefined || text === undefined) return undefined;
  const version = parseVersion(text);
  // For a path without /v3, v3.0.0 is a query: the answer may be v3.0.0+incompatible.
  if (version && (kind !== 'info' || versionFitsPath(module, version))) {
    return { kind, module, version };
  }
  const query = kind === 'info' ? (version ?? parseVersionQuery(text)) : undefined;
  return query && { kind: 'query', module, query };
}

const EXTENSIONS = ['info', 'mod', 'zip', 'ziphash'] as const;

/** Brands a key that a store listed and that `parseKey` could parse. */
export function listedKey(text: string): StoreKey {
  return key(text);
}

const encoder = new TextEncoder();

/**
 * Compares the UTF-8 bytes of two keys: negative when `a` comes first, 0 when they are equal, else
 * positive.
 */
export function compareKeys(a: string, b: string): number {
  if (a === b) return 0;
  const left = encoder.encode(a);
  const right = encoder.encode(b);
  const differs = left.findIndex((byte, at) => byte !== right[at]);
  return differs < 0 ? -1 : (left[differs] ?? 0) - (right[differs] ?? -1);
}
