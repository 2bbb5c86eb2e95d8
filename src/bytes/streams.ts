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

export interface ReadOptions {
  /** How many bytes are read at most. */
  readonly length: number;
  /** Given each read, to limit its time. Default: no limit. */
  readonly limited?: (<T>(read: Promise<T>) => Promise<T>) | undefined;
}

/**
 * Reads the start of a body into `memory`. The memory is transferred: use `.buffer` of the result
 * from then on. Rejects when the stream fails or was cancelled, or when `limited` does; the stream is
 * cancelled then.
 */
export async function readInto(
  memory: ArrayBuffer,
  body: Body,
  { length, limited = (read) => read }: ReadOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  let view = new Uint8Array(memory, 0, length);
  if (body instanceof Uint8Array) {
    view.set(body.subarray(0, length));
    return view.subarray(0, body.length);
  }
  const reader = body.getReader({ mode: 'byob' });
  try {
    for (let filled = 0; ;) {
      if (filled === length) return view;
      const read = reader.read(view.subarray(filled), { min: length - filled });
      const { done, value } = await limited(read);
      if (!value) throw new Error('The body was cancelled');
      view = new Uint8Array(value.buffer, 0, length);
      filled += value.length;
      if (done) return view.subarray(0, filled);
    }
  } catch (error) {
    reader.cancel(error).catch(() => undefined); // a store that hangs may take its time
    throw error;
  }
}

/** Cancels a body whose bytes are not needed. */
export function discard(body: Body): void {
  if (!(body instanceof Uint8Array)) body.cancel().catch(() => undefined);
}
