/**
 * The native pass-through streams of workerd: no JavaScript runs for a chunk that is only
 * forwarded.
 */
declare const FixedLengthStream: new (size: number) => Pipe;
declare const IdentityTransformStream: new () => Pipe;

export interface Pipe {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/**
 * A pipe for exactly `size` bytes, or for any number where it is undefined. With a size, the
 * response or the R2 put that reads it declares that length. Closing it early is then an error on
 * both sides, so a truncated body never passes for a complete one.
 */
export function openPipe(size: number | undefined): Pipe {
  return size === undefined ? new IdentityTransformStream() : new FixedLengthStream(size);
}
