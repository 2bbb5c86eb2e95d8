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
 * A resolver that refuses modules matching `patterns`, so that their names reach no checksum
 * database. Other requests go to `next`.
 */
export function refusePrivate<Request extends MaybeAboutModule, Context extends RequestContext>(
  next: Resolver<Request, Context>,
  patterns: Patterns,
): Resolver<Request, Context> {
  return async function resolvePublic(request, context) {
    const { module } = request;
    if (module === undefined || !matches(patterns, module)) return next(request, context);
    const text = `${module} is private here, and no checksum database is asked about it: name it in GONOSUMDB`;
    return { kind: 'refused', text, source: LOCAL };
  };
}

/**
 * A resolver that keeps the files of private modules apart: in a realm of their own, which nothing
 * public is read from or written to, so that a module that becomes private or public later is fetched
 * again. Other requests go to `next` as they are.
 */
export function inPrivateRealm<
  Request extends { readonly module: ModulePath },
  Context extends RequestContext,
>(next: Resolver<Request, Context>, patterns: Patterns): Resolver<Request, Context> {
  return async function resolveApart(request, context) {
    const isPrivate = matches(patterns, request.module);
    return next(request, isPrivate ? { ...context, ...context.realm('private') } : context);
  };
}
