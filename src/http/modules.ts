import type { Handler } from 'hono';
import { malformed } from '../mirror/messages.ts';
import { type ModuleRequest, parseModuleRequest } from '../goproxy/request.ts';
import { resolve } from '../goproxy/resolve.ts';
import type { SelectRange } from '../store/large-files.ts';
import type { Subject } from '../telemetry/event.ts';
import { parseRange } from './conditional.ts';
import { answer, type Services, type Variables } from './exchange.ts';

const CACHED_ONLY = '/cached-only';

/**
 * The GOPROXY protocol: every path that nothing else has. `/cached-only/…` and
 * `Disable-Module-Fetch: true` answer from the store alone, as at proxy.golang.org.
 */
export function modules(services: Services): Handler<Variables> {
  return async function handleModule(c) {
    const { pathname } = new URL(c.req.url);
    const underCachedOnly = pathname.startsWith(`${CACHED_ONLY}/`);
    const request = parseModuleRequest(
      underCachedOnly ? pathname.slice(CACHED_ONLY.length) : pathname,
    );
    if (request.kind === 'malformed') {
      return answer(c, services, {
        subject: { kind: 'malformed' },
        outcome: malformed(request.reason),
      });
    }
    const { carrier } = c.get('exchange');
    const wanted = wantedRange(request, c.req.raw);
    const outcome = await resolve(request, {
      carrier,
      origins: services.config.origins,
      privateModules: services.config.privateModules,
      cachedOnly: underCachedOnly || c.req.header('Disable-Module-Fetch')?.toLowerCase() === 'true',
      ...(wanted ? { select: wanted.select } : {}),
    });
    return answer(c, services, {
      subject: subjectOf(request),
      outcome,
      unsatisfiable: wanted?.isUnsatisfiable() ?? false,
    });
  };
}

/**
 * Ranges are served of stored zips, on GET, while If-Range (RFC 9110 13.1.5) still names the stored
 * copy.
 */
function wantedRange(
  request: ModuleRequest,
  raw: Request,
): { select: SelectRange; isUnsatisfiable(): boolean } | undefined {
  const header = raw.headers.get('Range');
  if (header === null || request.kind !== 'zip' || raw.method !== 'GET') return undefined;
  const ifRange = raw.headers.get('If-Range');
  let unsatisfiable = false;
  return {
    select({ size, etag }) {
      if (ifRange !== null && ifRange !== etag) return undefined;
      const range = parseRange(header, size);
      unsatisfiable = range === 'unsatisfiable';
      return range === 'unsatisfiable' ? undefined : range;
    },
    isUnsatisfiable: () => unsatisfiable,
  };
}

function subjectOf(request: ModuleRequest): Subject {
  const { kind, module } = request;
  if (kind === 'list' || kind === 'latest') return { kind, module };
  return { kind, module, version: kind === 'query' ? request.query : request.version };
}
