import type { Handler } from 'hono';
import { malformed } from '../mirror/messages.ts';
import { proxyChecksums } from '../sumdb/resolve.ts';
import { type ChecksumRequest, checksumPath, parseChecksumRequest } from '../sumdb/request.ts';
import type { Subject } from '../telemetry/event.ts';
import { answer, type Services, type Variables } from './exchange.ts';

/**
 * `/sumdb/<name>/…`: the checksum databases of SUMDBS. Any other name is a 404, and the client goes
 * there by itself.
 */
export function checksums(services: Services): Handler<Variables> {
  const { databases, privateModules } = services.config;
  return async function handleChecksum(c) {
    // A client that was told `GOPROXY=…/cached-only` still needs hashes: only modules are not to be
    // fetched.
    const pathname = new URL(c.req.url).pathname.replace(/^\/cached-only/, '');
    const request = parseChecksumRequest(pathname, databases);
    if (!request) {
      const outcome = malformed('no such file of a checksum database that is carried here');
      return answer(c, services, { subject: { kind: 'malformed' }, outcome });
    }
    const { carrier, clientOf } = c.get('exchange');
    const client = clientOf(request.database);
    const outcome = await proxyChecksums(request, { carrier, client, privateModules });
    return answer(c, services, { subject: subjectOf(request), outcome });
  };
}

function subjectOf(request: ChecksumRequest): Subject {
  if (request.kind === 'lookup')
    return { kind: 'lookup', module: request.module, version: request.version };
  if (request.kind === 'tile') return { kind: 'tile', path: checksumPath(request) };
  return { kind: `sumdb ${request.kind}` };
}
