import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type Answer, type ApiRequest, type ApiState, answerApi, refused } from './api.ts';

/** Cloudflare's REST API on loopback, as far as wrangler and the deployment of modferry use it. */
export interface FakePlatform {
  /** For CLOUDFLARE_API_BASE_URL. */
  readonly url: string;
  /** What the account has; a test may change it. */
  readonly state: ApiState;
  /** Every call since the last `reset`, such as "GET /zones". */
  readonly calls: readonly string[];
  /** The number of calls that match. */
  count(match: RegExp): number;
  /**
   * The next call that matches fails with this answer. Default: 400 with code 7000; wrangler
   * repeats a call after a 500.
   */
  failOnce(match: RegExp, answer?: Answer | Promise<Answer>): void;
  reset(): void;
  close(): Promise<void>;
}

const BASE = '/client/v4';

/** An account with the zone example.com, with R2 and a workers.dev subdomain, and nothing else. */
export async function startPlatform(): Promise<FakePlatform> {
  const state: ApiState = {
    account: 'a1',
    zones: [
      { id: 'z1', name: 'example.com', status: 'active', account: { id: 'a1', name: 'Jane' } },
    ],
    hasR2: true,
    hasSubdomain: true,
    mayReadDns: true,
    namespaces: [],
    buckets: [],
    domains: [],
    records: [],
    worker: undefined,
    version: undefined,
    secrets: new Map(),
    schedules: [],
  };
  const calls: string[] = [];
  let faults: { readonly match: RegExp; readonly answer: Answer | Promise<Answer> }[] = [];

  async function respond(request: IncomingMessage): Promise<Answer> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
    const asked: ApiRequest = {
      method: request.method ?? 'GET',
      path: pathname.slice(BASE.length),
      query: searchParams,
      body: Buffer.concat(chunks),
      type: request.headers['content-type'] ?? '',
    };
    const call = `${asked.method} ${asked.path}`;
    calls.push(call);
    const fault = faults.find(({ match }) => match.test(call));
    if (fault) {
      faults = faults.filter((other) => other !== fault);
      return fault.answer;
    }
    if (request.headers.authorization !== 'Bearer api-token') {
      return refused(403, 10_000, 'Authentication error');
    }
    return answerApi(state, asked);
  }

  const server = createServer((request, response) => {
    respond(request)
      .catch((error: unknown) => refused(500, 0, `fake: ${String(error)}`))
      .then(({ body, status }) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      }, console.error);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : 0;
  return {
    url: `http://127.0.0.1:${port}${BASE}`,
    state,
    calls,
    count: (match) => calls.filter((call) => match.test(call)).length,
    failOnce: (match, answer = refused(400, 7000, 'Something failed')) =>
      void faults.push({ match, answer }),
    reset() {
      calls.length = 0;
      faults = [];
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
