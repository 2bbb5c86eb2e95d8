import type { Origin } from '../origins/origin.ts';
import type { Hashes } from '../origins/failure.ts';
import type { Answer } from '../origins/race/answer.ts';
import type { Question } from '../origins/request/question.ts';
import type { StoreKey } from '../store/key.ts';
import type { RequestContext } from './context.ts';

/** A file that origins are asked for. */
export interface AskedFile {
  readonly key: StoreKey;
  /** What messages call it. */
  readonly subject: string;
  readonly origins: readonly Origin[];
}

/**
 * Asks the origins of a file. An origin that gave a wrong one is reported, and asked last for that
 * file for some time.
 */
export async function askForFile<T>(
  file: AskedFile,
  question: Question<T>,
  context: RequestContext,
): Promise<Answer<T>> {
  const askLast = ({ name }: Origin) => context.shared.wrongFiles.has(file.key, name);
  const policy = { ...question.policy, askLast };
  const answer = await context.origins.ask(file.origins, { ...question, policy });
  const failures = answer.kind === 'missing' ? [] : answer.failures;
  for (const { origin, reason } of failures) {
    if (reason.kind === 'mismatch')
      reportMismatch(file, { origin, hashes: reason.hashes }, context);
  }
  return answer;
}

/** Reports an origin that gave a wrong file, and lets it be asked last for that file. */
export function reportMismatch(
  { key, subject }: Pick<AskedFile, 'key' | 'subject'>,
  { origin, hashes }: { readonly origin: string; readonly hashes: Hashes },
  { emit, shared }: Pick<RequestContext, 'emit' | 'shared'>,
): void {
  shared.wrongFiles.add(key, origin);
  emit({ event: 'security', kind: 'mismatch', subject, origin, hashes });
}
