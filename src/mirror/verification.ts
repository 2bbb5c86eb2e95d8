import { BadAnswer, type Failure, type Hashes, Mismatch } from '../origins/origin.ts';
import type { Checked } from '../store/contract.ts';
import type { ModulePath } from '../module/module-path.ts';
import type { Version } from '../module/version.ts';

/**
 * What the checksum databases have of a version. They are behind this one method, so that this room
 * knows the rules of publishing and nothing of logs and trees.
 */
export interface Checksums {
  /** Never rejects. */
  expect(module: ModulePath, version: Version): Promise<Expected>;
}

export type Expected =
  /** The `h1:` hashes of its zip and of its go.mod, in the log of `database`. */
  | {
      readonly kind: 'known';
      readonly database: string;
      readonly zip: string;
      readonly mod: string;
    }
  /** Every database was asked and has no record of it, or none may be asked. */
  | { readonly kind: 'uncovered' }
  /** Some database could not be asked, and no other one has it. */
  | { readonly kind: 'unknown'; readonly failures: readonly Failure[] };

/** What VERIFY asks for. */
export interface Verification {
  /** Whom to ask about a go.mod; absent where go.mod files are not compared with anything. */
  readonly mods?: Checksums;
  /** Whom to ask about a zip; absent where zips are not compared with anything. */
  readonly zips?: Checksums;
  /** Whether a zip must keep the rules by which the go command unpacks it. */
  readonly zipRules: boolean;
}

export type Verdict =
  | { readonly kind: 'checked'; readonly checked: Checked }
  | { readonly kind: 'wrong'; readonly hashes: Hashes }
  /** Nobody could be asked. */
  | { readonly kind: 'unknown'; readonly failures: readonly Failure[] };

/** Compares the hash of a file with what is expected of it. */
export function judge(expected: Expected, file: 'zip' | 'mod', found: string): Verdict {
  if (expected.kind === 'unknown') return expected;
  if (expected.kind === 'uncovered') return { kind: 'checked', checked: 'uncovered' };
  const { database } = expected;
  return found === expected[file]
    ? { kind: 'checked', checked: `h1:${found.slice('h1:'.length)}` }
    : { kind: 'wrong', hashes: { database, expected: expected[file], found } };
}

/**
 * What an answer that cannot be the file is where the log is known to have one: as wrong as one
 * with another hash, and no word of an origin that the next one should not correct. Errors that say
 * nothing of the content stay what they are.
 */
export function asMismatch(
  error: unknown,
  file: 'zip' | 'mod',
  expected: Expected | undefined,
): unknown {
  const isWrong =
    error instanceof BadAnswer && !(error instanceof Mismatch) && expected?.kind === 'known';
  if (!isWrong) return error;
  return new Mismatch({
    database: expected.database,
    expected: expected[file],
    found: error.message,
  });
}
