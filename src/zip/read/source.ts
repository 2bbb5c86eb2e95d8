/** A zip file that can be read at any place, wherever it is kept. */
export interface ZipSource {
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

export interface Range {
  readonly offset: number;
  readonly length: number;
  /** For a source that reads into memory. */
  readonly memory?: ArrayBuffer | undefined;
}

/**
 * As `source.read`, but also rejects when the source returns another number of bytes than
 * requested.
 */
export async function readExactly(source: ZipSource, range: Range): Promise<Uint8Array> {
  const { offset, length, memory } = range;
  const into = memory && source.readInto?.(offset, length, memory);
  const bytes = await (into ?? source.read(offset, length));
  if (bytes.length === length) return bytes;
  throw new Error(
    `Cannot read a zip: asked for ${length} bytes at ${offset} and got ${bytes.length}`,
  );
}

/** A zip in memory. Reads return views of `bytes`, not copies. */
export function bytesSource(bytes: Uint8Array): ZipSource {
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
