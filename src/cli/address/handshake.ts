import { connect } from 'node:tls';

/** What a TLS handshake agreed on, such as "TLSv1.3" and "h2". */
export interface Handshake {
  readonly version: string;
  readonly protocol: string;
}

const LIMIT_MS = 15_000;

/** Shakes hands with an https address as a go command does. Undefined where it fails. */
export function handshake({ hostname, port }: URL): Promise<Handshake | undefined> {
  return new Promise((resolve) => {
    const socket = connect({
      host: hostname,
      port: Number(port || 443),
      servername: hostname,
      ALPNProtocols: ['h2', 'http/1.1'],
      timeout: LIMIT_MS,
    });
    const end = (result?: Handshake) => {
      socket.destroy();
      resolve(result);
    };
    socket.once('secureConnect', () => {
      const { alpnProtocol } = socket;
      end({ version: socket.getProtocol() ?? '', protocol: alpnProtocol || 'http/1.1' });
    });
    socket.once('error', () => end());
    socket.once('timeout', () => end());
  });
}
