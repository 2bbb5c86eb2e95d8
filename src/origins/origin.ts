import type { Patterns } from '../module/patterns.ts';
import type { ModulePath } from '../module/module-path.ts';
import type { Version } from '../module/version.ts';

/** A server that speaks the GOPROXY protocol, or one address of a checksum database. */
export interface Origin {
  /** Its name in logs, headers and error texts. */
  readonly name: string;
  /** Base URL without a trailing slash. */
  readonly url: string;
  /**
   * When the next origin is asked: after any error, or only after 404 and 410 (`|` and `,` of
   * GOPROXY). `in turn`: after any error too, but it is no mirror of the next one, so they are not
   * ranked or raced, and a 404 is the answer only when all of them gave it.
   */
  readonly fallback: 'any' | 'missing' | 'in turn';
  /** The modules it is asked for; every public one where this is absent. */
  readonly modules?: Patterns | undefined;
  /** Whether its `modules` are public. Default: nobody reads them without a token. */
  readonly isPublic?: boolean | undefined;
  /**
   * A module version that it has, to be probed with; a well-known one where this and `modules` are
   * absent.
   */
  readonly probe?: { readonly module: ModulePath; readonly version: Version } | undefined;
  /**
   * Whether it has modules with upper-case letters below their very paths: what is not below the
   * escaped path is then asked for decoded. Default: all are below the escaped path.
   */
  readonly isDecoded?: boolean | undefined;
  /** Data centre, country and continent codes in which it is preferred. */
  readonly regions: readonly string[];
  /**
   * `final` where its 403 for a version is the last word, for every other origin too
   * (race/final-refusal.ts). Default: it is an answer about this origin alone.
   */
  readonly refusal?: 'final' | undefined;
  /** Value of the Authorization header, sent to this origin and never across a redirect. */
  readonly authorization?: string | undefined;
  readonly limits: OriginLimits;
  /**
   * Name of the checksum database that it carries beside the database's own addresses. It is then
   * asked after those, and its 404 alone is never the last word. Absent for every other origin.
   */
  readonly carries?: string | undefined;
}

/** Whether only some people may know of an origin: it has modules of its own, which are private. */
export function isPrivateOrigin({
  isPublic,
  modules,
}: Pick<Origin, 'isPublic' | 'modules'>): boolean {
  return modules !== undefined && !isPublic;
}

export interface OriginLimits {
  /** Until the headers of an answer have arrived. */
  readonly headersMs: number;
  /** How long a body may go without progress. */
  readonly stallMs: number;
}
