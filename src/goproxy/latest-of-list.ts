import type { Resolver } from '../mirror/context.ts';
import { matches, type Patterns } from '../module/patterns.ts';
import type { LogContext } from '../sumdb/log-context.ts';
import { chooseLatest, isWrittenGoMod } from './choose-latest.ts';
import { bodyOf } from './found-body.ts';
import { parseList } from './list-body.ts';
import type { ModuleRequest } from './request.ts';

/**
 * A resolver that computes `@latest` of the modules that match `patterns` from their list, as the
 * go command would choose it: some registries have no `@latest`, and for others it is what was
 * uploaded last. What an origin says itself counts where its list names no version, as that of a
 * module without tags does. Other requests go to `next`.
 */
export function latestOfList(
  next: Resolver<ModuleRequest, LogContext>,
  patterns: Patterns,
): Resolver<ModuleRequest, LogContext> {
  return async function resolveLatest(request, context) {
    const { kind, module } = request;
    if (kind !== 'latest' || !matches(patterns, module)) return next(request, context);
    const list = await next({ kind: 'list', module }, context);
    if (list.kind === 'missing') return next(request, context);
    if (list.kind !== 'found') return list;
    const version = await chooseLatest(
      parseList(await bodyOf(list), module),
      async function hasGoMod(version) {
        const mod = await next({ kind: 'mod', module, version }, context);
        return mod.kind === 'found' && isWrittenGoMod(await bodyOf(mod), module);
      },
    );
    if (version === undefined) return next(request, context);
    const info = await next({ kind: 'info', module, version }, context);
    if (info.kind === 'missing') return next(request, context);
    // The version may be old when the list is, and its file is the same for ever.
    return info.kind === 'found' ? { ...info, cache: list.cache } : info;
  };
}
