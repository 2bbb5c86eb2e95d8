import type { Resolver } from '../mirror/context.ts';
import type { LogContext } from '../sumdb/log-context.ts';
import { serveLarge } from '../mirror/large/serve-large.ts';
import { serveSmall } from '../mirror/small/serve-small.ts';
import type { Origin } from '../origins/origin.ts';
import { originsFor } from '../origins/race/order.ts';
import { moduleFile } from './files.ts';
import type { ModuleRequest } from './request.ts';
import type { Verification } from './verification.ts';

export interface ModuleSources {
  readonly origins: readonly Origin[];
  /** The checksum databases that a request's files are compared with. */
  readonly verificationOf: (context: LogContext) => Verification;
}

/** Builds the resolver of module requests. */
export function moduleResolver(sources: ModuleSources): Resolver<ModuleRequest, LogContext> {
  const { origins, verificationOf } = sources;
  return async function resolveModule(request, context) {
    const { size, file } = moduleFile(request, {
      context,
      origins: originsFor(origins, request.module, { isPrivate: false }),
      verification: verificationOf(context),
    });
    return size === 'small' ? serveSmall(file, context) : serveLarge(file, context);
  };
}
