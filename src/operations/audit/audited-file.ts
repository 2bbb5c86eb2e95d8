import { type ModulePath, unescapeModulePath, versionFitsPath } from '../../module/module-path.ts';
import {
  parseVersion,
  parseVersionQuery,
  unescapeVersionElement,
  type Version,
} from '../../module/version.ts';
import type { Database } from '../../sumdb/database.ts';
import { type ChecksumRequest, parseChecksumRequest } from '../../sumdb/request.ts';

/** What a file of the tree is, by its key. */
export type AuditedFile =
  | { readonly kind: 'zip'; readonly module: ModulePath; readonly version: Version }
  | {
      readonly kind: 'mod' | 'info' | 'ziphash';
      readonly module: ModulePath;
      readonly version: Version;
    }
  /**
   * `@v/list`, `@latest`, and the `.info` of a branch or another query: they change, and nobody
   * signs them.
   */
  | { readonly kind: 'list' | 'latest' | 'query' }
  | Extract<ChecksumRequest, { kind: 'lookup' | 'tile' | 'tree head' }>
  /** Of a checksum database that SUMDBS does not name. */
  | { readonly kind: 'other log' }
  /** What the go command leaves beside its files. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'unknown' };

const UNKNOWN = { kind: 'unknown' } as const;

/** Locks, unfinished downloads and temporary files of cmd/go/internal/modfetch. */
const LEFT_BY_GO = /\/@v\/[^/]+\.(?:lock|partial|tmp)$/;

/** Says what the file with this key is. `databases` are those whose files can be proven. */
export function classify(key: string, databases: readonly Database[]): AuditedFile {
  if (key.startsWith('sumdb/')) return checksumFile(key, databases);
  const [, module, name] = /^(.+)\/(@latest|@v\/[^/]+)$/.exec(key) ?? [];
  const path = unescapeModulePath(module ?? '');
  if (LEFT_BY_GO.test(key)) return { kind: 'ignored' };
  if (!path || name === undefined) return UNKNOWN;
  if (name === '@latest') return { kind: 'latest' };
  return name === '@v/list' ? { kind: 'list' } : versionFile(path, name.slice('@v/'.length));
}

function versionFile(module: ModulePath, name: string): AuditedFile {
  const [, element, extension] = /^(.+)\.(info|mod|ziphash|zip)$/.exec(name) ?? [];
  const text = unescapeVersionElement(element ?? '');
  const kind = (['info', 'mod', 'zip', 'ziphash'] as const).find((known) => known === extension);
  if (text === undefined || kind === undefined) return UNKNOWN;
  const version = parseVersion(text);
  // v3.0.0 of a path without /v3 is a query: the answer may be v3.0.0+incompatible.
  if (version && (kind !== 'info' || versionFitsPath(module, version)))
    return { kind, module, version };
  return kind === 'info' && parseVersionQuery(text) ? { kind: 'query' } : UNKNOWN;
}

function checksumFile(key: string, databases: readonly Database[]): AuditedFile {
  // A request is percent-decoded; no key of ours has anything to decode.
  const request = key.includes('%') ? undefined : parseChecksumRequest(`/${key}`, databases);
  if (request) return request.kind === 'supported' ? UNKNOWN : request;
  const isNamed = databases.some(({ name }) => key.startsWith(`sumdb/${name}/`));
  return !isNamed && /^sumdb\/.+\/(?:latest$|lookup\/|tile\/)/.test(key)
    ? { kind: 'other log' }
    : UNKNOWN;
}
