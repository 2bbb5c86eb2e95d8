/** The body of an answer, as a byte stream that the test controls. */
export interface ByteSource {
  readonly stream: ReadableStream<Uint8Array>;
  push(bytes: Uint8Array): void;
  end(): void;
  /** Breaks the body off, as a failed connection does. Bytes that were not read yet are dropped. */
  fail(error: Error): void;
  /** Whether it was cancelled. */
  readonly cancelled: boolean;
}

/** A stream that delivers bytes when the test pushes them. */
export function byteSource(): ByteSource {
  let cancelled = false;
  let controller: ReadableByteStreamController | undefined;
  const stream = new ReadableStream({
    type: 'bytes',
    start(given) {
      controller = given;
    },
    cancel() {
      cancelled = true;
    },
  });
  return {
    stream,
    push: (bytes) => controller?.enqueue(new Uint8Array(bytes)),
    end() {
      controller?.close();
      // Without this a pending BYOB read would not end (Streams standard, "respond in closed
      // state").
      controller?.byobRequest?.respond(0);
    },
    fail: (error) => controller?.error(error),
    get cancelled() {
      return cancelled;
    },
  };
}

/** How a scripted stream behaves. */
export interface Script {
  /** The error after the last piece; absent where the stream ends without one. */
  readonly breaksWith?: Error | undefined;
  /** Called before each piece is delivered. */
  readonly pause?: (() => Promise<void>) | undefined;
  readonly onCancel?: (() => void) | undefined;
}

/** A stream that delivers one of `pieces` at each read. */
export function scriptedStream(
  pieces: Iterable<Uint8Array>,
  script: Script = {},
): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.iterator]();
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      await script.pause?.();
      const next = iterator.next();
      if (!next.done) return controller.enqueue(new Uint8Array(next.value));
      if (script.breaksWith) return controller.error(script.breaksWith);
      controller.close();
      controller.byobRequest?.respond(0);
    },
    cancel: () => script.onCancel?.(),
  });
}

/** `size` bytes that differ from place to place, so that no two chunks are equal. */
export function pattern(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  const words = new Uint32Array(bytes.buffer, 0, size >> 2);
  for (let at = 0; at < words.length; at++) words[at] = Math.imul(at + 1, 2654435761);
  return bytes;
}

/** `bytes` cut into pieces. `sizes` are used in turn, repeatedly. */
export function* cut(bytes: Uint8Array, ...sizes: readonly number[]): Generator<Uint8Array> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? bytes.length;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}
