import type { ByteSource } from '../../bytes/byte-source.ts';

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
export async function readExactly(source: ByteSource, range: Range): Promise<Uint8Array> {
  const { offset, length, memory } = range;
  const into = memory && source.readInto?.(offset, length, memory);
  const bytes = await (into ?? source.read(offset, length));
  if (bytes.length === length) return bytes;
  throw new Error(
    `Cannot read a zip: asked for ${length} bytes at ${offset} and got ${bytes.length}`,
  );
}
