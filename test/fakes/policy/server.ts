import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import type { ReadableStream } from 'node:stream/web';
import type { PolicyOptions } from '../../../src/access/policy/resolve.ts';
import { byPolicy } from '../../../src/access/policy/resolve.ts';
import { createTrace } from '../../../src/effects/trace.ts';
import { parseModuleRequest } from '../../../src/goproxy/request.ts';
import { moduleResolver } from '../../../src/goproxy/resolve.ts';
import { verificationOf } from '../../../src/goproxy/verification.ts';
import { respond } from '../../../src/http/respond.ts';
import { malformed } from '../../../src/mirror/messages.ts';
import { fakeClock } from '../effects/clock.ts';
import { originOf, socketFetch } from '../effects/fetch.ts';
import { fakeContext, memoryTiers } from '../mirror/context.ts';

export interface PolicyServer {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * A module proxy on loopback in front of the origin at `url`, with a policy whose ages are the test's.
 * modferry itself takes ages from a log alone.
 */
export async function startPolicyServer(url: string, policy: PolicyOptions): Promise<PolicyServer> {
  const clock = fakeClock();
  const tiers = memoryTiers(clock);
  const fetch = Object.assign(socketFetch, { calls: [] });
  const resolve = byPolicy(
    moduleResolver({
      origins: [originOf('origin', { url })],
      privateModules: [],
      verificationOf: () => verificationOf('off', undefined),
    }),
    policy,
  );
  async function answer(path: string): Promise<Response> {
    const request = parseModuleRequest(path);
    const outcome = request.ok
      ? await resolve(request.value, fakeContext({ clock, tiers, fetch }))
      : malformed(request.reason);
    return respond(outcome, {
      requestId: 'id',
      trace: createTrace(clock),
      ms: 0,
      ifNoneMatch: undefined,
      withoutBody: false,
      isPrivate: false,
    });
  }
  const server = createServer((request, response) => {
    void answer(request.url ?? '').then(async ({ body, headers, status }) => {
      const bytes = body && (await buffer(Readable.fromWeb(body as ReadableStream)));
      response.writeHead(status, Object.fromEntries(headers)).end(bytes);
    });
  });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => new Promise((done) => void server.close(() => done())),
  };
}
