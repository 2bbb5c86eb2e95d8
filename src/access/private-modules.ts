import type { RequestContext, Resolver } from '../mirror/context.ts';
import { LOCAL } from '../mirror/outcome.ts';
import type { ModulePath } from '../module/module-path.ts';
import { matches, type Patterns } from '../module/patterns.ts';

/** A request that may be about a module. */
interface MaybeAboutModule {
  readonly kind: string;
  readonly module?: ModulePath;
}

/**
 * Refuses requests for modules that PRIVATE covers: their names reach no public origin and no
 * checksum database. `why` is the end of the sentence that tells the client.
 */
export function refusePrivate<Request extends MaybeAboutModule, Context extends RequestContext>(
  next: Resolver<Request, Context>,
  { patterns, why }: { readonly patterns: Patterns; readonly why: string },
): Resolver<Request, Context> {
  return async function resolvePublic(request, context) {
    const { module } = request;
    if (module === undefined || !matches(patterns, module)) return next(request, context);
    return { kind: 'refused', text: `${module} is private here: ${why}`, source: LOCAL };
  };
}
