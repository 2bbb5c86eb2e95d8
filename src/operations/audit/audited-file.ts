import type { ModulePath } from '../../module/module-path.ts';
import type { Version } from '../../module/version.ts';
import { parseKey } from '../../store/key.ts';
import type { Database } from '../../sumdb/database.ts';
import { type ChecksumFileRequest, parseChecksumRequest } from '../../sumdb/request.ts';

/** What a file of the tree is, by its key. */
export type AuditedFile =
  | { readonly kind: 'zip'; readonly module: ModulePath; readonly version: Version }
  | {
      readonly kind: 'mod' | 'info' | 'ziphash';
      readonly module: ModulePath;
      readonly version: Version;
    }
  /** Files that change, which no log covers. */
  | { readonly kind: 'list' | 'latest' | 'query' }
  | ChecksumFileRequest
  /** Of a checksum database that SUMDBS does not name. */
  | { readonly kind: 'other log' }
  /** What the go command leaves beside its files, and what modferry keeps for itself. */
  | { readonly kind: 'ignored' }
  | { readonly kind: 'unknown' };

const UNKNOWN = { kind: 'unknown' } as const;

/** Locks, unfinished downloads and temporary files of cmd/go/internal/modfetch. */
const LEFT_BY_GO = /\/@v\/[^/]+\.(?:lock|partial|tmp)$/;

/** Tells what the file with this key is. `databases` are those whose files can be proven. */
export function classify(key: string, databases: readonly Database[]): AuditedFile {
  const parsed = parseKey(key);
  if (!parsed) return LEFT_BY_GO.test(key) ? { kind: 'ignored' } : UNKNOWN;
  switch (parsed.kind) {
    case 'own':
      return { kind: 'ignored' };
    case 'checksums':
      return checksumFile(parsed.path, databases);
    case 'list':
    case 'latest':
    case 'query':
      return { kind: parsed.kind };
    default:
      return { kind: parsed.kind, module: parsed.module, version: parsed.version };
  }
}

/** `path` is the name of a database and a path in it. */
function checksumFile(path: string, databases: readonly Database[]): AuditedFile {
  // A request is percent-decoded; no key has anything to decode.
  const request = path.includes('%')
    ? undefined
    : parseChecksumRequest(`/sumdb/${path}`, databases);
  if (request) return request.kind === 'supported' ? UNKNOWN : request;
  const isNamed = databases.some(({ name }) => path.startsWith(`${name}/`));
  return !isNamed && /^.+\/(?:latest$|lookup\/|tile\/)/.test(path)
    ? { kind: 'other log' }
    : UNKNOWN;
}
