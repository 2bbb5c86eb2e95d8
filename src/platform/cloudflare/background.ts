import type { ExecutionContext } from '@cloudflare/workers-types';
import type { Background } from '../../effects/background.ts';

/**
 * Background work of one request, kept alive by `waitUntil`: for up to 30 s after the answer was
 * sent or the client hung up, as the platform allows.
 */
export function backgroundOf(
  context: Pick<ExecutionContext, 'waitUntil'>,
): (report: (label: string, error: unknown) => void) => Background {
  return (report) => (label, work) =>
    context.waitUntil(work.catch((error: unknown) => report(label, error)));
}
