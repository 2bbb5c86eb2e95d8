import type { H1 } from '../bytes/h1.ts';
import { matches, type Patterns } from '../module/patterns.ts';
import type { ModulePath } from '../module/module-path.ts';
import type { Version } from '../module/version.ts';
import { type Failure, failureText } from '../origins/failure.ts';
import type { Missing } from '../origins/race/answer.ts';
import type { Lookup } from './log/log-verifier.ts';

/** What the checksum databases have of a version. */
export interface Checksums {
  /** Never rejects. */
  expect(module: ModulePath, version: Version): Promise<Expected>;
}

export type Expected =
  /** The `h1:` hashes of its zip and of its go.mod, in the log of `database`. */
  | {
      readonly kind: 'known';
      readonly database: string;
      readonly zip: H1;
      readonly mod: H1;
      /** The number of its record in that log. */
      readonly record: number;
    }
  /** Every database was asked and has no record of it, or none may be asked. */
  | { readonly kind: 'uncovered' }
  /** Some database could not be asked, and no other one has it. */
  | { readonly kind: 'unknown'; readonly failures: readonly Failure[] };

/** Where the records of one database come from. */
export interface LookupSource {
  /** Name of the database. */
  readonly name: string;
  find(module: ModulePath, version: Version): Promise<LookupAnswer>;
}

export type LookupAnswer =
  | { readonly kind: 'proven'; readonly value: Pick<Lookup, 'zip' | 'mod' | 'record'> }
  | { readonly kind: 'missing'; readonly missing: Missing; readonly isUnanimous: boolean }
  | { readonly kind: 'failed'; readonly failures: readonly Failure[] };

/**
 * The checksums of the first database that has a record of a version. No database is asked about
 * the modules in `withoutChecksums`.
 */
export function createChecksums(
  sources: readonly LookupSource[],
  { withoutChecksums }: { readonly withoutChecksums: Patterns },
): Checksums {
  return {
    async expect(module, version) {
      if (matches(withoutChecksums, module)) return { kind: 'uncovered' };
      const failures: Failure[] = [];
      for (const source of sources) {
        const answer = await source.find(module, version);
        if (answer.kind === 'proven') {
          const { mod, record, zip } = answer.value;
          return { kind: 'known', database: source.name, zip, mod, record };
        }
        failures.push(...failuresOf(source, answer));
      }
      return failures.length > 0 ? { kind: 'unknown', failures } : { kind: 'uncovered' };
    },
  };
}

function failuresOf(
  { name }: LookupSource,
  answer: Exclude<LookupAnswer, { readonly kind: 'proven' }>,
): readonly Failure[] {
  if (answer.kind === 'failed') {
    return answer.failures.length > 0
      ? answer.failures.map((failure) => uncheckedBecause(name, failure))
      : [{ origin: name, reason: { kind: 'unchecked', text: 'could not be asked for its hash' } }];
  }
  // "No record" is not signed: one address that lies must not be all that is left when the others
  // are blocked.
  const { isUnanimous, missing } = answer;
  if (isUnanimous) return [];
  const text = `status ${missing.status}, and another address could not be asked`;
  return [unchecked(name, missing, text)];
}

/** A limit of the platform stays one, and is no failure of the database. */
function uncheckedBecause(database: string, failure: Failure): Failure {
  return failure.reason.kind === 'limit'
    ? failure
    : unchecked(database, failure, failureText(failure.reason));
}

/** The failure of a database at one of its addresses, which may be the host of a module origin too. */
function unchecked(
  database: string,
  { origin: address, retryAfterSeconds }: Pick<Failure, 'origin' | 'retryAfterSeconds'>,
  text: string,
): Failure {
  const reason = { kind: 'unchecked', text: `asked for its hash at ${address}: ${text}` } as const;
  return retryAfterSeconds === undefined
    ? { origin: database, reason }
    : { origin: database, reason, retryAfterSeconds };
}
