/**
 * workerd's own pass-through streams: native, so that no JavaScript runs for a chunk that is only
 * passed on.
 */
declare const FixedLengthStream: new (size: number) => Pipe;
declare const IdentityTransformStream: new () => Pipe;

export interface Pipe {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * A pipe for `size` bytes, or for any number of them. With a size, the response or the R2 put at
 * its end declares that length, and closing it early is an error on both sides: a body that breaks
 * off is never taken for a whole one.
 */
export function openPipe(size: number | undefined): Pipe {
  return size === undefined ? new IdentityTransformStream() : new FixedLengthStream(size);
}
