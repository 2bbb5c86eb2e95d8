/**
 * The https entrance of the local run. workerd's direct sockets have no TLS in Miniflare, so this
 * process decrypts, and passes the bytes on to the front Worker as they are: it reads no HTTP, and
 * has no say in what a request means.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { createServer } from 'node:tls';
import type { Certificate } from './certificate.ts';

export interface TlsOptions extends Certificate {
  readonly host: string;
  readonly port: number;
  /** The port of the front Worker on the same host. */
  readonly target: number;
  /**
   * How long a client may take to close, once workerd has closed and the answer was sent. Default:
   * 5,000.
   */
  readonly lingerMs?: number;
}

export interface TlsEntrance {
  readonly port: number;
  /** Ends it, and every connection. */
  close(): Promise<void>;
}

/** Listens. Rejects as `listen` does. */
export async function openTls({
  cert,
  key,
  host,
  port,
  target,
  lingerMs = 5_000,
}: TlsOptions): Promise<TlsEntrance> {
  const open = new Set<Socket>();
  // A client may close its side and still wait for the answer, with TLS as without.
  const connection = { allowHalfOpen: true, noDelay: true };
  const server = createServer({ ...connection, cert, key, ALPNProtocols: ['http/1.1'] });
  server.on('secureConnection', (client) =>
    passOn(client, connect({ ...connection, host, port: target }), lingerMs),
  );
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.listen(port, host);
  await once(server, 'listening');
  server.on('error', () => undefined); // of one connection, such as that there are too many files
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/**
 * Pipes both ways, with back-pressure, until both sides have ended or one of them fails. `pipeline`
 * takes the errors of both, also after its end.
 */
function passOn(client: Socket, worker: Socket, lingerMs: number): void {
  client.once('close', () => worker.destroy());
  client.pipe(worker);
  worker.once('close', () => client.unpipe(worker).resume());
  pipeline(worker, client, (error) => {
    if (error) client.destroy();
    else closeWithin(client, lingerMs);
  });
}

/**
 * Closes a connection whose answers were sent. A client that is cut off while it still sends may lose
 * the answer (RFC 9112 9.6), and one that never closes must not be kept for ever.
 */
function closeWithin(client: Socket, ms: number): void {
  const timer = setTimeout(() => client.destroy(), ms);
  client.once('close', () => clearTimeout(timer));
}
