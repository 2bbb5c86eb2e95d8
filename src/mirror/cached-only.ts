import type { RequestContext, Resolver } from './context.ts';

/**
 * A resolver that answers from the store and asks no origin. `/cached-only/…` and
 * `Disable-Module-Fetch: true` select it, as at proxy.golang.org.
 */
export function cachedOnly<Request, Context extends RequestContext>(
  next: Resolver<Request, Context>,
): Resolver<Request, Context> {
  return (request, context) => next(request, { ...context, mayFetch: false });
}
