import { matches, type Patterns } from '../module/patterns.ts';
import type { Checksums } from '../mirror/verification.ts';
import type { Failure } from '../origins/origin.ts';
import type { Missing } from '../store/contract.ts';
import type { LogClient } from './log-client.ts';

/** A database, and the client that asks it. */
export interface AskedDatabase {
  readonly name: string;
  readonly client: Pick<LogClient, 'hashes'>;
}

/**
 * What the checksum databases have of a version: the word of the first one that has a record of it.
 * The modules in `unlogged` are told to none of them.
 */
export function createChecksums(
  databases: readonly AskedDatabase[],
  { unlogged }: { readonly unlogged: Patterns },
): Checksums {
  return {
    async expect(module, version) {
      if (matches(unlogged, module)) return { kind: 'uncovered' };
      const failures: Failure[] = [];
      for (const { name, client } of databases) {
        const answer = await client.hashes(module, version);
        if (answer.kind === 'accepted') {
          const { zip, mod } = answer.value;
          return { kind: 'known', database: name, zip, mod };
        }
        if (answer.kind === 'failed') failures.push(...answer.failures.map(ofTheHash));
        if (answer.kind === 'failed' && answer.failures.length === 0) failures.push(notAsked(name));
        // "No record" is not signed: one address that lies must not be all that is left when the
        // others are blocked.
        if (answer.kind === 'missing' && !answer.unanimous)
          failures.push(ofTheHash(aloneInSaying(answer.missing)));
      }
      return failures.length > 0 ? { kind: 'unknown', failures } : { kind: 'uncovered' };
    },
  };
}

function notAsked(database: string): Failure {
  return { origin: database, cause: 'unchecked', text: 'could not be asked for its hash' };
}

function aloneInSaying({ origin, status }: Missing): Failure {
  return {
    origin,
    cause: 'unchecked',
    text: `status ${status}, and another address could not be asked`,
  };
}

function ofTheHash(failure: Failure): Failure {
  return { ...failure, cause: 'unchecked', text: `asked for its hash: ${failure.text}` };
}
