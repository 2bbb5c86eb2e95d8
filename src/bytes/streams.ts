import { isUnshared } from './unshared.ts';

/** Bytes that are whole in memory, or a stream that is read to its end or cancelled. */
export type Body = Uint8Array | ReadableStream<Uint8Array>;

/**
 * A body as the Web's functions take it, which refuse bytes that another thread could change
 * meanwhile.
 */
export function bodyInit(body: Body): BodyInit {
  return !(body instanceof Uint8Array) || isUnshared(body) ? body : new Uint8Array(body);
}

/** Reads a body to its end. */
export async function bytesOf(body: Body): Promise<Uint8Array> {
  return body instanceof Uint8Array ? body : new Uint8Array(await new Response(body).arrayBuffer());
}

/**
 * Reads at most `length` bytes of a body into `memory`. The memory is transferred: use `.buffer` of
 * the result from then on. Rejects when the stream fails or was cancelled.
 */
export async function readInto(
  memory: ArrayBuffer,
  length: number,
  body: Body,
): Promise<Uint8Array<ArrayBuffer>> {
  let view = new Uint8Array(memory, 0, length);
  if (body instanceof Uint8Array) {
    view.set(body.subarray(0, length));
    return view.subarray(0, body.length);
  }
  const reader = body.getReader({ mode: 'byob' });
  for (let filled = 0; ;) {
    if (filled === length) return view;
    const { done, value } = await reader.read(view.subarray(filled), { min: length - filled });
    if (!value) throw new Error('The body was cancelled');
    view = new Uint8Array(value.buffer, 0, length);
    filled += value.length;
    if (done) return view.subarray(0, filled);
  }
}

/** Cancels a body whose bytes are not needed. */
export function discard(body: Body): void {
  if (!(body instanceof Uint8Array)) body.cancel().catch(() => undefined);
}
