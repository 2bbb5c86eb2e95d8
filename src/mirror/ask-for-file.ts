import type { Question } from '../origins/request/attempt.ts';
import type { Answer } from '../origins/race/ask.ts';
import type { Hashes, Origin } from '../origins/origin.ts';
import type { StoreKey } from '../store/key.ts';
import type { Carrier } from './carrier.ts';

/**
 * Asks origins for a file of a version. Whoever gave a wrong one is reported, and set aside for
 * that file: its mirrors are asked first for a while.
 */
export async function askForFile<T>(
  { key, subject }: { readonly key: StoreKey; readonly subject: string },
  origins: readonly Origin[],
  { carrier, ...question }: Question<T> & { readonly carrier: Carrier },
): Promise<Answer<T>> {
  const { setAside } = carrier;
  const isLast = ({ name }: Origin) => setAside.has(key, name);
  const answer = await carrier.ask(origins, { ...question, isLast });
  const failures = answer.kind === 'missing' ? [] : answer.failures;
  for (const { origin, hashes } of failures) {
    if (hashes) blame({ key, subject }, { carrier, origin, hashes });
  }
  return answer;
}

/** Reports an origin that gave a wrong file, and sets it aside for that file. */
export function blame(
  { key, subject }: { readonly key: StoreKey; readonly subject: string },
  {
    carrier,
    origin,
    hashes,
  }: { readonly carrier: Carrier; readonly origin: string; readonly hashes: Hashes },
): void {
  carrier.setAside.add(key, origin);
  carrier.alarm({ kind: 'mismatch', subject, origin, hashes });
}
