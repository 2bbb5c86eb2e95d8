import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A port of 127.0.0.1 that refuses connections and that no other server is given. */
export interface HeldPort {
  /** Frees the port, for a server that listens there next. */
  release(): void;
}

/**
 * Holds the port of a server while that server is stopped. `free` ends the server. A connection
 * that starts at the port takes it right after that: the system then gives the port to nobody who
 * asks for a free one, and refuses connections to it, because nothing listens there.
 */
export async function holdPort(port: number, free: () => Promise<void>): Promise<HeldPort> {
  let accepted: Socket | undefined;
  const sink = createServer((socket) => {
    accepted = socket.on('error', () => undefined).unref();
  }).unref();
  // The sink has its own port before the held one is free, so it cannot be given that one.
  await once(sink.listen(0, '127.0.0.1'), 'listening');
  const address = sink.address();
  const to = typeof address === 'object' && address !== null ? address.port : 0;

  const freed = free();
  const holder = connect({
    host: '127.0.0.1',
    port: to,
    localAddress: '127.0.0.1',
    localPort: port,
  }).unref();
  await Promise.all([freed, once(holder, 'connect')]);
  holder.on('error', () => undefined);
  return {
    release() {
      // A reset leaves no connection behind that waits for its end at the port.
      holder.resetAndDestroy();
      accepted?.destroy();
      sink.close();
    },
  };
}
