import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { bodyChunks, type Body } from '../fakes/origin/answer.ts';

export interface Download {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes that arrived. */
  readonly bytes: number;
  /** SHA-256 of them in hexadecimal. */
  readonly sha256: string;
  /** The connection broke before the body was whole. */
  readonly broken: boolean;
}

export interface DownloadOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Awaited after every chunk, with the bytes so far: a client as slow as that. */
  readonly pace?: (bytes: number) => Promise<void> | undefined;
  /** The client breaks the connection off when it has this many bytes. */
  readonly hangUpAfter?: number;
}

/** A request whose body may be of any size: it is hashed as it comes and not kept. */
export async function download(url: string, options: DownloadOptions = {}): Promise<Download> {
  const { method = 'GET', headers = {}, pace, hangUpAfter = Infinity } = options;
  const sent = request(url, { method, headers, agent: false });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const hash = createHash('sha256');
  let bytes = 0;
  let failed = false;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      hash.update(chunk);
      bytes += chunk.length;
      if (bytes >= hangUpAfter) break;
      await pace?.(bytes);
    }
  } catch {
    failed = true;
  }
  return {
    status: response.statusCode ?? 0,
    headers: Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
    ),
    bytes,
    sha256: hash.digest('hex'),
    broken: failed || !response.complete,
  };
}

/** What a download of the bytes [start, end) of `body` must come to. */
export async function sha256Of(body: Body, start?: number, end?: number): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of bodyChunks(body, start, end)) hash.update(chunk);
  return hash.digest('hex');
}
