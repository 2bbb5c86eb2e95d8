export interface Pipe {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * A pipe for `size` bytes, or for any number of them. With a size, closing it early and writing too
 * much are errors on both sides, as in workerd's FixedLengthStream. What is read is a copy: the
 * writer may reuse the memory of a chunk once its write has resolved.
 */
export function openPipe(size: number | undefined): Pipe {
  let passedBytes = 0;
  return new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      passedBytes += chunk.length;
      if (size !== undefined && passedBytes > size)
        throw new TypeError(`Cannot write more than ${size} bytes to this pipe`);
      controller.enqueue(chunk.slice());
    },
    flush() {
      if (size !== undefined && passedBytes < size)
        throw new TypeError(`Cannot close a pipe of ${size} bytes after ${passedBytes}`);
    },
  });
}
