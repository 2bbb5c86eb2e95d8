import { type Body, discard, readInto, type ReadOptions } from '../bytes/streams.ts';
import type { ByteRange, FileFacts, StoredFile } from './contract.ts';

/** A stored file that is read in ranges. */
export interface RangedFile {
  readonly size: number;
  readonly etag: string;
  /**
   * Bytes `offset` to `offset + length - 1`. Rejects when the store fails, or when the file was
   * replaced.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /**
   * As `read`, into `memory`, which must be large enough. The buffer is transferred: use `.buffer`
   * of the result afterwards.
   */
  readInto(offset: number, length: number, memory: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * A file that `readRange` reads a part of. A read rejects when the part has another etag, and as
 * `limited` does, which is given each read of a body.
 */
export function rangedFile(
  { size, etag }: Pick<FileFacts, 'size' | 'etag'>,
  readRange: (range: ByteRange) => Promise<StoredFile | undefined>,
  limited?: ReadOptions['limited'],
): RangedFile {
  const bodyOf = async (range: ByteRange): Promise<Body> => {
    const part = await readRange(range);
    if (part?.etag === etag) return part.body;
    if (part) discard(part.body);
    throw new Error('The stored file was replaced while it was read');
  };
  return {
    size,
    etag,
    async read(offset, length) {
      const body = await bodyOf({ offset, length });
      const bytes = await readInto(new ArrayBuffer(length), body, { length, limited });
      // A body that ends early says nothing about the file.
      if (bytes.length === Math.min(length, size - offset)) return bytes;
      throw new Error(`The store sent ${bytes.length} bytes of ${length}`);
    },
    readInto: async (offset, length, memory) =>
      readInto(memory, await bodyOf({ offset, length }), { length, limited }),
  };
}
