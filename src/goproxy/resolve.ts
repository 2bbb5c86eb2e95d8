import type { Resolver } from '../mirror/context.ts';
import type { LogContext } from '../sumdb/log-context.ts';
import { type MirroredFile, serve } from '../mirror/serve.ts';
import { matches, type Patterns } from '../module/patterns.ts';
import type { Origin } from '../origins/origin.ts';
import { originsFor } from '../origins/race/order.ts';
import { moduleFile } from './files.ts';
import type { ModuleRequest } from './request.ts';
import type { Verification } from './verification.ts';

export interface ModuleSources {
  readonly origins: readonly Origin[];
  /** Modules that are asked only of origins whose `modules` cover them. */
  readonly privateModules: Patterns;
  /** The checksum databases that a request's files are compared with. */
  readonly verificationOf: (context: LogContext) => Verification;
}

/** Builds the resolver of module requests. */
export function moduleResolver(sources: ModuleSources): Resolver<ModuleRequest, LogContext> {
  const fileOf = requestedFile(sources);
  return async (request, context) => serve(fileOf(request, context), context);
}

/** Returns the function that tells which file a request asks for. */
export function requestedFile({
  origins,
  privateModules,
  verificationOf,
}: ModuleSources): (request: ModuleRequest, context: LogContext) => MirroredFile {
  return function fileOf(request, context) {
    const isPrivate = matches(privateModules, request.module);
    return moduleFile(request, {
      context,
      origins: originsFor(origins, request.module, { isPrivate }),
      isPrivate,
      verification: verificationOf(context),
    });
  };
}
