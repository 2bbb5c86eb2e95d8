import type { Resolver } from '../mirror/context.ts';
import { type Found, LOCAL } from '../mirror/outcome.ts';
import { serve } from '../mirror/serve.ts';
import { etagOf } from '../store/etag.ts';
import type { Database } from './database.ts';
import { checksumFile } from './files.ts';
import type { LogClient } from './log/log-client.ts';
import type { LogContext } from './log-context.ts';
import type { ChecksumRequest } from './request.ts';

export interface ChecksumResolverOptions {
  /** The client of a database, for one request. */
  readonly clientOf: (database: Database, context: LogContext) => LogClient;
}

/**
 * Carries checksum databases, so that GOSUMDB stays on where their own hosts are filtered. The go
 * command verifies every byte against the key that it has; modferry does the same first, so that
 * what it keeps for ever is what the database has signed.
 */
export function checksumResolver({
  clientOf,
}: ChecksumResolverOptions): Resolver<ChecksumRequest, LogContext> {
  return async function resolveChecksums(request, context) {
    // The databases have no such path. The go command stops at any answer but 200 and 404.
    if (request.kind === 'supported') return supported();
    const { background, store } = context;
    const client = clientOf(request.database, context);
    return serve(
      { size: 'small', file: checksumFile(request, { client, background, store }) },
      context,
    );
  };
}

async function supported(): Promise<Found> {
  const body = new Uint8Array();
  return {
    kind: 'found',
    file: { body, size: 0, etag: etagOf(body) },
    contentType: 'text/plain; charset=utf-8',
    cache: 'mutable',
    source: LOCAL,
  };
}
