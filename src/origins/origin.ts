import type { Patterns } from '../module/patterns.ts';
import type { ModulePath } from '../module/module-path.ts';
import type { Version } from '../module/version.ts';

/** A server that speaks the GOPROXY protocol, or one address of a checksum database. */
export interface Origin {
  /** What logs, headers and error texts call it. */
  readonly name: string;
  /** Base URL without a trailing slash. */
  readonly url: string;
  /**
   * When the next origin is asked: after any error, or only after 404 and 410 (`|` and `,` of
   * GOPROXY).
   */
  readonly fallback: 'any' | 'missing';
  /** The modules it is asked for; every public one where this is absent. */
  readonly modules?: Patterns | undefined;
  /**
   * A module version that it has, to be probed with; a well-known one where this and `modules` are
   * absent.
   */
  readonly probe?: { readonly module: ModulePath; readonly version: Version } | undefined;
  /** Data centre, country and continent codes that it is preferred in. */
  readonly regions: readonly string[];
  /** Value of the Authorization header, sent to this origin and never across a redirect. */
  readonly authorization?: string | undefined;
  readonly limits: OriginLimits;
}

export interface OriginLimits {
  /** Milliseconds until the headers of an answer are there. */
  readonly headersMs: number;
  /** Milliseconds in which a body may go without progress. */
  readonly stallMs: number;
}

/** Why an origin did not give what it was asked for, in one line of plain text. */
export interface Failure {
  readonly origin: string;
  /**
   * `overloaded` is 429 or 503: the origin asked to be left alone. `mismatch` is a file with
   * another hash than it must have, and `unchecked` one whose hash could not be learnt: in both
   * cases there is a file.
   */
  readonly cause:
    | 'unreachable'
    | 'timeout'
    | 'status'
    | 'overloaded'
    | 'answer'
    | 'mismatch'
    | 'unchecked';
  readonly text: string;
  /** Seconds, from a Retry-After header. */
  readonly retryAfter?: number;
  /** The origin answered as it should, and what it needed to know was out of its reach. */
  readonly isBlameless?: true;
  /** Of a mismatch. */
  readonly hashes?: Hashes;
}

/** Two `h1:` hashes that should be one. */
export interface Hashes {
  /** The database that says what is expected. */
  readonly database: string;
  readonly expected: string;
  /** Or, where the file has none, what is wrong with it. */
  readonly found: string;
}

/**
 * Thrown when an answer cannot be what was asked for: the origin has failed, whatever its status
 * said.
 */
export class BadAnswer extends Error {
  override readonly name: string = 'BadAnswer';
}

/** Thrown when the answer is a file, and not the one that a checksum database has the hash of. */
export class Mismatch extends BadAnswer {
  override readonly name = 'Mismatch';
  readonly hashes: Hashes;

  constructor(hashes: Hashes) {
    const { database, expected, found } = hashes;
    const isHash = found.startsWith('h1:');
    super(
      isHash
        ? `hash ${found} where ${database} has ${expected}`
        : `${found} (${database} has ${expected})`,
    );
    this.hashes = hashes;
  }
}
