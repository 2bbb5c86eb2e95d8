/** A zip file that can be read at any place, wherever it is kept. */
export interface ZipSource {
  /** Bytes in all. */
  readonly size: number;
  /** Exactly the bytes offset … offset+length-1; rejects when it cannot. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /**
   * As `read`, into `memory`, which has room for it and is transferred: go on with `.buffer` of the
   * result. For sources whose every read would else leave megabytes to the garbage collector.
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
 * As `source.read`, but rejects too when the source gives another number of bytes than it was asked
 * for.
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

/** A zip in memory. What is read are views of `bytes`, not copies. */
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
