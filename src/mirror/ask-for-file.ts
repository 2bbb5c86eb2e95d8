import type { Origin } from '../origins/origin.ts';
import type { Hashes } from '../origins/failure.ts';
import type { Answer } from '../origins/race/answer.ts';
import type { Question } from '../origins/request/question.ts';
import type { StoreKey } from '../store/key.ts';
import type { RequestContext } from './context.ts';

/** A file to ask origins for. */
export interface AskedFile {
  readonly key: StoreKey;
  /** The name of the file in messages and events. */
  readonly subject: string;
  readonly origins: readonly Origin[];
}

/**
 * Asks the origins of a file, those that recently served a wrong copy of it last. Reports each
 * origin whose answer mismatches the expected hash.
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

/**
 * Emits a security event for an origin that served a wrong file. For some time the origin is asked
 * last for that file.
 */
export function reportMismatch(
  { key, subject }: Pick<AskedFile, 'key' | 'subject'>,
  { origin, hashes }: { readonly origin: string; readonly hashes: Hashes },
  { emit, shared }: Pick<RequestContext, 'emit' | 'shared'>,
): void {
  shared.wrongFiles.add(key, origin);
  emit({ event: 'security', kind: 'mismatch', subject, origin, hashes });
}
