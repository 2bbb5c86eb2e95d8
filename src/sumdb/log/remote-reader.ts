import type { Result } from '../../effects/result.ts';
import type { FailureReason } from '../../origins/failure.ts';
import type { Origin } from '../../origins/origin.ts';
import type { Answer } from '../../origins/race/answer.ts';
import type { Question } from '../../origins/request/question.ts';
import type { Database } from '../database.ts';

/** Asks origins in their order. Never rejects. */
export type Ask = <T>(origins: readonly Origin[], question: Question<T>) => Promise<Answer<T>>;

/**
 * Asks the addresses of one database, in their order, until one gives an accepted answer. `path` is
 * that of the database, without a leading slash. Never rejects.
 */
export type ReadRemote = <T>(path: string, question: RemoteQuestion<T>) => Promise<Answer<T>>;

export interface RemoteQuestion<T> {
  readonly limitBytes: number;
  /** Names of addresses that are not asked. */
  readonly avoid?: ReadonlySet<string> | undefined;
  readonly accept: (bytes: Uint8Array) => Promise<Result<T, FailureReason>>;
}

/**
 * The reader of a database. A 400 counts as a failure: databases answer 404 or 410 where there is
 * no record (golang.org/x/mod/sumdb/server.go), so a 400 is from something on the way, such as a
 * captive portal, and must not pass for "no record".
 */
export function remoteReader({ origins }: Pick<Database, 'origins'>, ask: Ask): ReadRemote {
  return (path, { accept, avoid, limitBytes }) =>
    ask(
      origins.filter(({ name }) => !avoid?.has(name)),
      {
        path: `/${path}`,
        accept: async (body) => accept(await body.all(limitBytes)),
        policy: { areRefusalsAnswers: false },
      },
    );
}
