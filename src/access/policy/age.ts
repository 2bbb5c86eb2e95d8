import type { ModulePath } from '../../module/module-path.ts';
import type { Version } from '../../module/version.ts';
import type { LogContext } from '../../sumdb/log-context.ts';

/** How old a version is, for a minimum age. */
export type Age =
  | { readonly kind: 'old' }
  /** May be had from this time on, in milliseconds since the epoch. */
  | { readonly kind: 'young'; readonly from: number }
  /** Not known yet, or it cannot be told now; `why` is for the developer. */
  | { readonly kind: 'unknown'; readonly why: string }
  /** No checksum database covers the module. */
  | { readonly kind: 'uncovered'; readonly why: string };

export interface Ages {
  /** The age of one version, looked up now if it is not known. Never rejects. */
  of(module: ModulePath, version: Version, minAgeMs: number): Promise<Age>;
  /**
   * The ages of the versions of a list; unknown ones are looked up newest first, some of them now and
   * the rest behind the answer. Never rejects.
   */
  ofAll(
    module: ModulePath,
    versions: readonly Version[],
    minAgeMs: number,
  ): Promise<ReadonlyMap<Version, Age>>;
}

/** Opens the ages for one request. */
export type OpenAges = (context: LogContext) => Ages;

/** What ages a request's module is held to. Undefined: none. */
export interface AgeLimits {
  /** Explicit versions younger than this are refused, in milliseconds; undefined where none are. */
  readonly explicitMs: number | undefined;
  /** Versions younger than this are left out of lists, of @latest and of queries. */
  readonly listMs: number | undefined;
}

export type AgeLimitsOf = (module: ModulePath, cooldownMs: number | undefined) => AgeLimits;
