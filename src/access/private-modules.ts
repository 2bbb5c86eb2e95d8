import type { RequestContext, Resolver } from '../mirror/context.ts';
import { LOCAL } from '../mirror/outcome.ts';
import type { ModulePath } from '../module/module-path.ts';
import { matches, type Patterns } from '../module/patterns.ts';

/** A request with or without a module. */
interface MaybeAboutModule {
  readonly kind: string;
  readonly module?: ModulePath;
}

/**
 * A resolver that refuses modules matching `patterns`, so that their names reach no public origin
 * and no checksum database. Other requests go to `next`. The refusal ends with `why`.
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
