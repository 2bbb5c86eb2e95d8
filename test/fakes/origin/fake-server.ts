import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import type { Answer } from './answer.ts';
import { deliver } from './deliver.ts';
import {
  alter,
  type Fault,
  type FaultOptions,
  FaultSwitch,
  matches,
  REDIRECTED,
} from './faults.ts';
import { type HeldPort, holdPort } from './held-port.ts';

/** One request that arrived. */
export interface SeenRequest {
  readonly method: string;
  /** The raw request target, percent signs and query included. */
  readonly url: string;
  /** The path without the query, decoded once; raw where it cannot be decoded. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /**
   * `open` until the whole answer was sent (`answered`) or was broken off by the client or a fault
   * (`broken`).
   */
  readonly state: 'open' | 'answered' | 'broken';
  /** The status that was sent; 0 before. */
  readonly status: number;
}

/** A real HTTP server on loopback with counters and fault switches. */
export interface FakeServer {
  /** `http://127.0.0.1:<port>`, followed by the prefix where there is one. */
  readonly url: string;
  /** Every request since the start or the last `reset`, in order of arrival. */
  readonly requests: readonly SeenRequest[];
  /**
   * The number of requests whose path or raw target contains the text or matches the expression.
   */
  count(match?: string | RegExp): number;
  /** Switches a fault on; `undefined` switches all faults off. */
  fault(fault: Fault | undefined, options?: FaultOptions): void;
  /** Clears requests and faults. */
  reset(): void;
  /** Breaks every connection and refuses new ones. No other server gets the port meanwhile. */
  stop(): Promise<void>;
  /** Listens again, on the same port. */
  restart(): Promise<void>;
  /** Ends the server for good, open connections included. */
  close(): Promise<void>;
}

/**
 * Computes the answer to a request. `path` is decoded; neither `path` nor `url` has the redirect
 * prefix.
 */
export type Respond = (request: {
  method: string;
  path: string;
  url: string;
  headers: IncomingHttpHeaders;
}) => Answer | Promise<Answer>;

type OpenRequest = { -readonly [Key in keyof SeenRequest]: SeenRequest[Key] };

/** Starts a server on a free port of 127.0.0.1. */
export async function startFakeServer(respond: Respond, prefix = ''): Promise<FakeServer> {
  const requests: OpenRequest[] = [];
  const faults = new FaultSwitch();
  const sockets = new Set<Socket>();

  const server = createServer((request, response) => {
    const seen = remember(request, response);
    requests.push(seen);
    answerOne(request, response, { seen, respond, faults }).catch((error: unknown) => {
      // A disconnected client is no error here. An exception of a fixture must be visible in the
      // test.
      if (response.headersSent || response.destroyed) response.destroy();
      else
        response
          .writeHead(500, { 'content-type': 'text/plain' })
          .end(`fake server: ${String(error)}`);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        resolve();
      });
    });
  const end = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      for (const socket of sockets) socket.destroy();
    });
  let held: HeldPort | undefined;
  const release = () => {
    held?.release();
    held = undefined;
  };

  await listen(0);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}${prefix}`,
    requests,
    count: (match) => requests.filter((request) => matches(request, match)).length,
    fault: (fault, options) => faults.set(fault, options),
    reset: () => {
      requests.length = 0;
      faults.set(undefined);
    },
    async stop() {
      held ??= await holdPort(port, end);
    },
    restart() {
      release();
      return listen(port);
    },
    async close() {
      release();
      await end();
    },
  };
}

function remember(request: IncomingMessage, response: ServerResponse): OpenRequest {
  const url = request.url ?? '/';
  const seen: OpenRequest = {
    method: request.method ?? 'GET',
    url,
    path: decodePath(url),
    headers: request.headers,
    state: 'open',
    status: 0,
  };
  response.on('close', () => {
    seen.state = response.writableFinished ? 'answered' : 'broken';
    if (response.headersSent) seen.status = response.statusCode;
  });
  return seen;
}

function decodePath(url: string): string {
  const path = url.split('?', 1)[0] ?? '';
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function withoutRedirected(path: string): string {
  return path.startsWith(`${REDIRECTED}/`) ? path.slice(REDIRECTED.length) : path;
}

async function answerOne(
  request: IncomingMessage,
  response: ServerResponse,
  { seen, respond, faults }: { seen: SeenRequest; respond: Respond; faults: FaultSwitch },
): Promise<void> {
  const fault = faults.take(seen);
  request.resume();
  const path = withoutRedirected(seen.path);
  const url = withoutRedirected(seen.url);
  const answer = await respond({ method: seen.method, path, url, headers: seen.headers });
  await deliver(request, response, { answer: await alter(answer, fault, url), fault });
}
