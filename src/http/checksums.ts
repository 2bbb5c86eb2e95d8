import type { Handler } from 'hono';
import { malformed } from '../mirror/messages.ts';
import { type ChecksumRequest, checksumPath, parseChecksumRequest } from '../sumdb/request.ts';
import type { Subject } from '../telemetry/event.ts';
import { replyError } from './errors.ts';
import { parsePrefixes } from './prefixes.ts';
import { type HttpEnv, replyOutcome } from './reply.ts';
import type { HttpServices } from './services.ts';

/**
 * `/sumdb/<name>/…`: the checksum databases of SUMDBS. Any other name is a 404; the go command then
 * asks that database directly.
 */
export function checksums(services: HttpServices): Handler<HttpEnv> {
  return async function handleChecksum(c) {
    // Prefixes restrict modules only: a client with `GOPROXY=…/cached-only` still needs hashes.
    const prefixed = parsePrefixes(new URL(c.req.url).pathname);
    if (!prefixed.ok) return replyError(c, services, { status: 400, text: prefixed.reason });
    const request = parseChecksumRequest(prefixed.value.path, services.config.databases);
    if (!request) {
      const outcome = malformed('no such file of a checksum database that this proxy serves');
      return replyOutcome(c, services, { subject: { kind: 'malformed' }, outcome });
    }
    const outcome = await services.resolveChecksums(request, c.get('scope').context);
    return replyOutcome(c, services, { subject: subjectOf(request), outcome });
  };
}

function subjectOf(request: ChecksumRequest): Subject {
  switch (request.kind) {
    case 'lookup':
      return { kind: 'lookup', module: request.module, version: request.version };
    case 'tile':
      return { kind: 'tile', path: checksumPath(request) };
    default:
      return { kind: `sumdb ${request.kind}` };
  }
}
