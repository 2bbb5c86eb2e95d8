import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { noise } from '../zip/zip-writer.ts';

// Servers that fail below HTTP, which a FakeServer cannot do.

/** An address without HTTP. */
export interface RawServer {
  readonly url: string;
  /** The number of connections since the start. */
  connections(): number;
  close(): Promise<void>;
}

/** An https:// address that answers the TLS handshake with noise and closes the connection. */
export function startTLSGarbage(): Promise<RawServer> {
  const garbage = noise(512);
  return startRawServer((socket) => socket.once('data', () => socket.end(garbage)));
}

/**
 * An https:// address that accepts connections and never sends a byte, so that no TLS handshake
 * ends.
 */
export function startSilentTLS(): Promise<RawServer> {
  return startRawServer((socket) => socket.resume());
}

async function startRawServer(onConnection: (socket: Socket) => void): Promise<RawServer> {
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined); // a disconnected client is no error here
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `https://127.0.0.1:${port}`,
    connections: () => connections,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** A thread that listens with a backlog of 1 and then blocks, so that no connection is accepted. */
const BLOCKED_LISTENER = `
const { parentPort } = require('node:worker_threads');
const server = require('node:net').createServer();
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
`;

/** Milliseconds after which a connection over loopback counts as unanswered. */
const UNANSWERED_MS = 200;

/**
 * An address whose packets are dropped, as by a filter: connections are neither accepted nor
 * refused. Linux drops the first packet of a connection when the queue of unaccepted connections is
 * full, so this fills the queue. Rejects on a system that accepts more.
 */
export async function startPacketDrop(): Promise<RawServer> {
  const thread = new Worker(BLOCKED_LISTENER, { eval: true });
  const [port]: unknown[] = await once(thread, 'message');
  const queued: Socket[] = [];
  const close = async () => {
    await thread.terminate();
    for (const socket of queued) socket.destroy();
  };
  for (let tries = 0; tries < 16; tries++) {
    const socket = connect(Number(port), '127.0.0.1');
    queued.push(socket);
    if (!(await connects(socket))) {
      // A dropped connection cannot be counted.
      return { url: `http://127.0.0.1:${String(port)}`, connections: () => 0, close };
    }
  }
  await close();
  throw new Error(
    'Cannot fill the queue of a listener: this system accepts connections for its program',
  );
}

function connects(socket: Socket): Promise<boolean> {
  socket.on('error', () => undefined);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), UNANSWERED_MS);
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
