import type { ExecutionContext } from '@cloudflare/workers-types';
import type { Background } from '../../effects/background.ts';

/**
 * Background work of one request. `waitUntil` keeps it alive for up to 30 s after the answer was
 * sent or the client disconnected.
 */
export function backgroundOf(
  context: Pick<ExecutionContext, 'waitUntil'>,
): (report: (label: string, error: unknown) => void) => Background {
  return (report) => (label, work) =>
    context.waitUntil(work.catch((error: unknown) => report(label, error)));
}
