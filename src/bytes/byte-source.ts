/** A file that is read at any place, wherever it is kept. */
export interface ByteSource {
  /** Bytes in all. */
  readonly size: number;
  /** Exactly the bytes offset … offset+length-1; rejects when they cannot be read. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /**
   * As `read`, into `memory`, which is large enough and is transferred: use `.buffer` of the result
   * from then on. For sources whose reads would otherwise each leave megabytes to the garbage
   * collector.
   */
  readInto?(offset: number, length: number, memory: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>>;
}

/** A file in memory. Reads return views of `bytes`, not copies. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    async read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > bytes.length) {
        throw new RangeError(`Cannot read ${length} bytes at ${offset} of ${bytes.length}`);
      }
      return bytes.subarray(offset, offset + length);
    },
  };
}
