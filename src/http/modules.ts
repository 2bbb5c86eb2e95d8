import type { Context, Handler } from 'hono';
import { clientOf, type UnknownPaths } from '../access/unknown-paths.ts';
import { type ModuleRequest, namedModule, parseModuleRequest } from '../goproxy/request.ts';
import { cachedOnly } from '../mirror/cached-only.ts';
import { malformed } from '../mirror/messages.ts';
import type { SelectPart } from '../store/large-files.ts';
import type { Subject } from '../telemetry/event.ts';
import { isNotModified, parseRange } from './conditional.ts';
import { replyError } from './errors.ts';
import { refuse } from './gate.ts';
import { parsePrefixes } from './prefixes.ts';
import { type HttpEnv, replyOutcome } from './reply.ts';
import type { HttpServices } from './services.ts';

/**
 * The GOPROXY protocol, on every path without a route of its own. `/cached-only/…` and
 * `Disable-Module-Fetch: true` are answered from the store only, as at proxy.golang.org.
 * `/cooldown/<age>/…` asks for a minimum age.
 */
export function modules(services: HttpServices, unknownPaths: UnknownPaths): Handler<HttpEnv> {
  const resolve = services.resolveModule;
  const resolveStored = cachedOnly(resolve);
  return async function handleModule(c) {
    const prefixed = parsePrefixes(new URL(c.req.url).pathname);
    if (!prefixed.ok) {
      const refused = refuse(c, services, 'public');
      return refused ?? replyError(c, services, { status: 400, text: prefixed.reason });
    }
    const { cooldownMs, isCachedOnly, path } = prefixed.value;
    const request = parseModuleRequest(path);
    const isPrivate = services.isPrivate(request.ok ? request.value.module : namedModule(path));
    const refused = refuse(c, services, isPrivate ? 'private' : 'public');
    if (refused) return refused;
    if (!request.ok) {
      const outcome = malformed(request.reason);
      return replyOutcome(c, services, { subject: { kind: 'malformed' }, outcome });
    }
    const mayFetch = !isCachedOnly && !asksNotToFetch(c);
    const { context } = c.get('scope');
    const select = partSelector(request.value, c.req.raw);
    const answer = mayFetch ? resolve : resolveStored;
    const answered = await answer(request.value, { ...context, select, cooldownMs });
    const client = clientOf(c.get('caller'), c.req.header('CF-Connecting-IP'));
    const asked = { client, path: JSON.stringify(request.value) };
    const outcome = unknownPaths.limit(answered, asked);
    return replyOutcome(c, services, { subject: subjectOf(request.value), outcome });
  };
}

function asksNotToFetch(c: Context<HttpEnv>): boolean {
  return c.req.header('Disable-Module-Fetch')?.toLowerCase() === 'true';
}

/**
 * Chooses the part of a stored zip that the answer needs; undefined where it needs the whole file.
 * A HEAD and a 304 need its metadata. A range counts only for a GET, and only while If-Range (RFC
 * 9110 13.1.5) has the etag.
 */
function partSelector(
  request: ModuleRequest,
  { headers, method }: Request,
): SelectPart | undefined {
  if (request.kind !== 'zip') return undefined;
  if (method === 'HEAD') return () => 'metadata';
  const ifNoneMatch = headers.get('If-None-Match') ?? undefined;
  const range = headers.get('Range') ?? undefined;
  if (ifNoneMatch === undefined && range === undefined) return undefined;
  const ifRange = headers.get('If-Range');
  return ({ etag, size }) => {
    if (isNotModified(ifNoneMatch, etag)) return 'metadata';
    return ifRange === null || ifRange === etag ? parseRange(range, size) : 'whole';
  };
}

function subjectOf(request: ModuleRequest): Subject {
  const { kind, module } = request;
  if (kind === 'list' || kind === 'latest') return { kind, module };
  return { kind, module, version: kind === 'query' ? request.query : request.version };
}
