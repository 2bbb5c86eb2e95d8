import { request as requestByHttp } from 'node:http';
import { request as requestByHttps } from 'node:https';

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The connection broke before the body was whole. */
  readonly broken: boolean;
}

export interface RawOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** What signs the certificate for "localhost" of an https server, as PEM. */
  readonly ca?: string;
}

/**
 * A request whose target is sent exactly as written and whose answer is shown as it came: nothing
 * is decoded.
 */
export function rawRequest(
  origin: string,
  target: string,
  { method = 'GET', headers = {}, body, ca }: RawOptions = {},
): Promise<RawAnswer> {
  const { hostname, port, protocol } = new URL(origin);
  const request = protocol === 'https:' ? requestByHttps : requestByHttp;
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: hostname,
        port,
        path: target,
        method,
        headers,
        agent: false,
        ca,
        servername: 'localhost',
      },
      (response) => {
        const chunks: Buffer[] = [];
        const finish = (broken: boolean) =>
          resolve({
            status: response.statusCode ?? 0,
            headers: Object.fromEntries(
              Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
            ),
            body: Buffer.concat(chunks),
            broken,
          });
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => finish(!response.complete));
        response.on('error', () => finish(true));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}
