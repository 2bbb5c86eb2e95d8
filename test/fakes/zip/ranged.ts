import { cut, scriptedStream } from '../effects/byte-source.ts';
import type { Call } from '../effects/fetch.ts';

export interface RangedOptions {
  /** The etag of the file; default `"one"`, null for none. */
  readonly etag?: string | null;
  readonly headers?: Readonly<Record<string, string>>;
  /** After how many bytes the successive answers break off. Further answers are complete. */
  readonly breaks?: readonly number[];
  /** Whether answers freeze at that point and do not break off. */
  readonly freezes?: boolean;
  /** Whether the server ignores Range headers. Default: it supports Range and If-Range. */
  readonly isUnranged?: boolean;
}

/**
 * The answers of a server with one file, by RFC 9110 13.1.5 and 14.2. The first ones may break off.
 */
export function ranged(bytes: Uint8Array, options: RangedOptions = {}): (call: Call) => Response {
  const { etag = '"one"', breaks = [], freezes = false, isUnranged = false } = options;
  const left = [...breaks];
  return ({ headers: asked }) => {
    const offset = Number(/^bytes=(\d+)-$/.exec(asked.get('Range') ?? '')?.[1]);
    const isAnswered =
      !isUnranged && offset < bytes.length && isSame(asked.get('If-Range'), options);
    const part = isAnswered ? bytes.subarray(offset) : bytes;
    const breaksAt = left.shift();
    const sent = part.subarray(0, breaksAt);
    const last = bytes.length - 1;
    const headers = {
      ...(etag === null ? {} : { ETag: etag }),
      'Content-Length': String(part.length),
      ...(isAnswered ? { 'Content-Range': `bytes ${offset}-${last}/${bytes.length}` } : {}),
      ...options.headers,
    };
    const stream =
      freezes && breaksAt !== undefined
        ? frozenStream(sent)
        : scriptedStream(
            cut(sent, 50_000),
            breaksAt === undefined ? {} : { breaksWith: new Error('connection lost') },
          );
    return new Response(stream, { status: isAnswered ? 206 : 200, headers });
  };
}

function isSame(ifRange: string | null, { etag = '"one"', headers = {} }: RangedOptions): boolean {
  return ifRange === null || ifRange === etag || ifRange === headers['Last-Modified'];
}

function frozenStream(bytes: Uint8Array): ReadableStream<Uint8Array> {
  const pieces = cut(bytes, 50_000);
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const next = pieces.next();
      return next.done
        ? new Promise(() => undefined)
        : controller.enqueue(new Uint8Array(next.value));
    },
  });
}
