import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, bodyChunks, bodySize } from './answer.ts';
import type { Fault } from './faults.ts';

/**
 * Sends an answer over HTTP. Supports conditional and ranged requests, and the faults of the
 * delivery.
 */
export async function deliver(
  request: IncomingMessage,
  response: ServerResponse,
  { answer, fault }: { answer: Answer; fault: Fault | undefined },
): Promise<void> {
  if (fault === 'hang') return;
  if (fault === 'reset') return resetConnection(response);
  const timed: Timing =
    typeof fault === 'object' && !('status' in fault || 'redirect' in fault) ? fault : {};
  if (timed['delay-headers'] !== undefined)
    await sleep(timed['delay-headers'], undefined, { ref: false });

  const size = bodySize(answer.body);
  const { status, headers, start, end } = select(request, answer, size);
  response.writeHead(status, {
    ...headers,
    ...(fault === 'no-length' || status === 304 ? {} : { 'content-length': String(end - start) }),
  });
  response.flushHeaders();
  if (request.method === 'HEAD' || status === 304) {
    response.end();
    return;
  }

  const body = (to = end) =>
    Readable.from(bodyChunks(answer.body, start, to), { objectMode: false });
  if (fault === 'truncate') {
    await pipeline(body(start + Math.floor((end - start) / 2)), response, { end: false });
    await flushed(response);
    return resetConnection(response);
  }
  // A shorter body ends normally. Without its end, the next answer on the connection would freeze,
  // too.
  if (timed['freeze-after'] !== undefined && timed['freeze-after'] < end - start) {
    await pipeline(body(start + timed['freeze-after']), response, { end: false });
    return;
  }
  if (timed.drip !== undefined) return pipeline(drip(body(), timed.drip.bytesPerSecond), response);
  return pipeline(body(), response);
}

interface Timing {
  readonly 'delay-headers'?: number;
  readonly 'freeze-after'?: number;
  readonly drip?: { readonly bytesPerSecond: number };
}

/**
 * Status, headers and the bytes [start, end) of the answer, by If-None-Match and one byte range
 * (RFC 9110).
 */
function select(request: IncomingMessage, { status, headers }: Answer, size: number) {
  const whole = { status, headers, start: 0, end: size };
  const etag = headers['etag'];
  if (status !== 200) return whole;
  if (etag !== undefined && request.headers['if-none-match'] === etag)
    return { ...whole, status: 304, end: 0 };
  const range =
    headers['accept-ranges'] === 'bytes'
      ? /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? '')
      : null;
  if (range === null) return whole;
  const [, first = '', last = ''] = range;
  if (first === '' && last === '') return whole;
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first);
  const end = first === '' || last === '' ? size : Math.min(Number(last) + 1, size);
  if (start >= end)
    return { status: 416, headers: { 'content-range': `bytes */${size}` }, start: 0, end: 0 };
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${start}-${end - 1}/${size}` },
    start,
    end,
  };
}

/** Ends the connection with a TCP reset, which no client mistakes for a regular end. */
function resetConnection(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

/** Waits until the kernel has all written bytes, because a reset discards the rest. */
async function flushed(response: ServerResponse): Promise<void> {
  while ((response.socket?.writableLength ?? 0) > 0 && response.socket?.destroyed === false) {
    await sleep(5, undefined, { ref: false });
  }
  // A reset also discards the bytes in the client's receive buffer: give it time to read them.
  await sleep(20, undefined, { ref: false });
}

/** The shortest pause between two pieces, in milliseconds. */
const MIN_PAUSE_MS = 50;

async function* drip(
  body: AsyncIterable<Uint8Array>,
  bytesPerSecond: number,
): AsyncGenerator<Uint8Array> {
  const pauseMs = Math.max(MIN_PAUSE_MS, 1000 / bytesPerSecond);
  const step = Math.max(1, Math.floor((bytesPerSecond * pauseMs) / 1000));
  for await (const chunk of body) {
    for (let at = 0; at < chunk.byteLength; at += step) {
      yield chunk.subarray(at, at + step);
      await sleep(pauseMs, undefined, { ref: false });
    }
  }
}
