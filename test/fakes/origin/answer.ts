/**
 * A body that is generated while it is sent, so that a zip of hundreds of megabytes is never held
 * in memory. Each call of `stream` starts at the first byte.
 */
export interface StreamedBody {
  readonly size: number;
  stream(): Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

export type Body = string | Uint8Array | StreamedBody;

/** The answer of a fake server without a fault. Header names are lower case. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Body;
}

/** An error as proxy.golang.org sends it: one line of text without a newline. */
export function textAnswer(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return {
    status,
    headers: {
      'content-type': 'text/plain; charset=UTF-8',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'SAMEORIGIN',
      ...headers,
    },
    body: text,
  };
}

export function isStreamed(body: Body): body is StreamedBody {
  return typeof body !== 'string' && !(body instanceof Uint8Array);
}

/** The body's length in bytes. */
export function bodySize(body: Body): number {
  if (typeof body === 'string') return Buffer.byteLength(body);
  return isStreamed(body) ? body.size : body.byteLength;
}

/** The whole body in memory. Not for large streamed bodies. */
export async function bodyBytes(body: Body): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bodyChunks(body)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * The bytes [start, end) of a body in chunks of at most 64 KiB, so that a slow reader causes
 * backpressure.
 */
export async function* bodyChunks(
  body: Body,
  start = 0,
  end = bodySize(body),
): AsyncGenerator<Uint8Array> {
  let offset = 0;
  for await (const chunk of pieces(body)) {
    const from = Math.max(start - offset, 0);
    const to = Math.min(end - offset, chunk.byteLength);
    for (let at = from; at < to; at += CHUNK) yield chunk.subarray(at, Math.min(at + CHUNK, to));
    offset += chunk.byteLength;
    if (offset >= end) return;
  }
}

const CHUNK = 65_536;

function pieces(body: Body): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof body === 'string') return [Buffer.from(body)];
  return isStreamed(body) ? body.stream() : [body];
}
