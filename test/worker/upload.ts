import { once } from 'node:events';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { bodyChunks, type Body } from '../fakes/origin/answer.ts';

export interface UploadOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** The client breaks the connection off when it has sent so many bytes. */
  readonly hangUpAfter?: number;
  /** Awaited before every chunk, with the bytes so far. */
  readonly pace?: (bytes: number) => Promise<void>;
}

/** What came of an upload; status 0 where the connection broke before an answer. */
export interface Uploaded {
  readonly status: number;
  readonly text: string;
}

/** A PUT whose body may be of any size: it is sent as the connection takes it. */
export async function upload(url: string, body: Body, options: UploadOptions): Promise<Uploaded> {
  const { headers, hangUpAfter = Infinity, pace } = options;
  const sent = request(url, { method: 'PUT', headers, agent: false });
  sent.on('error', () => undefined); // a connection that breaks is an answer too
  const answered = answerOf(sent);
  let bytes = 0;
  for await (const chunk of bodyChunks(body)) {
    if (bytes >= hangUpAfter) {
      sent.destroy();
      break;
    }
    await pace?.(bytes);
    bytes += chunk.length;
    // Whoever answers before the end of the body reads no more of it.
    if (!sent.write(chunk)) await Promise.race([once(sent, 'drain'), answered]);
    if (sent.destroyed) break;
  }
  sent.end();
  return answered;
}

async function answerOf(sent: ClientRequest): Promise<Uploaded> {
  try {
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
    return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() };
  } catch {
    return { status: 0, text: '' };
  }
}
