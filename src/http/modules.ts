import type { Context, Handler } from 'hono';
import { type ModuleRequest, parseModuleRequest } from '../goproxy/request.ts';
import { cachedOnly } from '../mirror/cached-only.ts';
import { malformed } from '../mirror/messages.ts';
import type { SelectRange } from '../store/large-files.ts';
import type { Subject } from '../telemetry/event.ts';
import { parseRange } from './conditional.ts';
import { type HttpEnv, replyOutcome } from './reply.ts';
import type { HttpServices } from './services.ts';

const CACHED_ONLY = '/cached-only';

/**
 * The GOPROXY protocol, on every path without a route of its own. `/cached-only/…` and
 * `Disable-Module-Fetch: true` are answered from the store only, as at proxy.golang.org.
 */
export function modules(services: HttpServices): Handler<HttpEnv> {
  const resolve = services.resolveModule;
  const resolveStored = cachedOnly(resolve);
  return async function handleModule(c) {
    const { pathname } = new URL(c.req.url);
    const isBelowCachedOnly = pathname.startsWith(`${CACHED_ONLY}/`);
    const path = isBelowCachedOnly ? pathname.slice(CACHED_ONLY.length) : pathname;
    const request = parseModuleRequest(path);
    if (!request.ok) {
      const outcome = malformed(request.reason);
      return replyOutcome(c, services, { subject: { kind: 'malformed' }, outcome });
    }
    const mayFetch = !isBelowCachedOnly && !asksNotToFetch(c);
    const { context } = c.get('scope');
    const select = rangeSelector(request.value, c.req.raw);
    const answer = mayFetch ? resolve : resolveStored;
    const outcome = await answer(request.value, { ...context, select });
    return replyOutcome(c, services, { subject: subjectOf(request.value), outcome });
  };
}

function asksNotToFetch(c: Context<HttpEnv>): boolean {
  return c.req.header('Disable-Module-Fetch')?.toLowerCase() === 'true';
}

/**
 * The range selector of a GET for a zip; undefined for every other request. It applies to a stored
 * copy only, and only while If-Range (RFC 9110 13.1.5) has its etag.
 */
function rangeSelector(
  request: ModuleRequest,
  { headers, method }: Request,
): SelectRange | undefined {
  const range = headers.get('Range');
  if (range === null || request.kind !== 'zip' || method !== 'GET') return undefined;
  const ifRange = headers.get('If-Range');
  return ({ size, etag }) =>
    ifRange === null || ifRange === etag ? parseRange(range, size) : undefined;
}

function subjectOf(request: ModuleRequest): Subject {
  const { kind, module } = request;
  if (kind === 'list' || kind === 'latest') return { kind, module };
  return { kind, module, version: kind === 'query' ? request.query : request.version };
}
