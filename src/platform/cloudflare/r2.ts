import type { R2Bucket, R2Conditional, R2Object, R2UploadedPart } from '@cloudflare/workers-types';
import {
  type ByteRange,
  type DurableStore,
  type FileFacts,
  type FileToStore,
  parseChecked,
  type StoredFile,
  type Upload,
  UPLOAD_PART_BYTES,
} from '../../store/contract.ts';
import type { StoreKey } from '../../store/key.ts';
import { openPipe } from './pipe.ts';

type Bucket = Pick<R2Bucket, 'get' | 'head' | 'put' | 'list' | 'delete' | 'createMultipartUpload'>;

/** The most keys that one `delete` accepts. */
const MAX_DELETE = 1000;

/**
 * The bucket as a durable store.
 *
 * A put is atomic and strongly consistent: the object is stored whole or not at all, even when the
 * Worker is killed during the put. `create` is a put with `If-None-Match: *`. When the object
 * exists, R2 returns null for it, not an error.
 */
export function r2Store(bucket: Bucket): DurableStore {
  async function put(
    key: StoreKey,
    file: FileToStore,
    onlyIf: R2Conditional | undefined,
  ): Promise<boolean> {
    const { bytes, etag, checked } = file;
    const customMetadata = { etag, ...(checked !== undefined && { checked }) };
    return (await bucket.put(key, bytes, { customMetadata, ...(onlyIf && { onlyIf }) })) !== null;
  }

  return {
    label: 'r2',

    async read(key, range) {
      const object = await bucket.get(key, range ? { range: { ...range } } : undefined);
      if (!object) return undefined;
      return {
        ...facts(object),
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- workerd's class, declared twice
        body: object.body as unknown as ReadableStream<Uint8Array>,
        ...served(range, object.size),
      };
    },

    async head(key) {
      const object = await bucket.head(key);
      return object ? facts(object) : undefined;
    },

    write: (key, file, mode) => put(key, file, mode === 'create' ? ABSENT : undefined),

    async swap(key, known, file) {
      return put(key, file, known === undefined ? ABSENT : { etagMatches: known });
    },

    async readForSwap(key) {
      const object = await bucket.get(key);
      return object
        ? { bytes: new Uint8Array(await object.arrayBuffer()), known: object.etag }
        : undefined;
    },

    async remove(keys) {
      for (let at = 0; at < keys.length; at += MAX_DELETE)
        await bucket.delete(keys.slice(at, at + MAX_DELETE));
    },

    async upload(key, { etag, size }) {
      return size === undefined
        ? uploadParts(bucket, key, etag)
        : uploadStream(bucket, key, { etag, size });
    },

    async *list(prefix, startAfter) {
      // A page has at most 1,000 keys, and a module may have more files than that.
      for (let cursor: string | undefined; ;) {
        const page = await bucket.list({
          prefix,
          ...(startAfter !== undefined && { startAfter }),
          ...(cursor !== undefined && { cursor }),
        });
        for (const { key, size } of page.objects) yield { key, size };
        if (!page.truncated) return;
        cursor = page.cursor;
      }
    },
  };
}

const ABSENT: R2Conditional = { etagDoesNotMatch: '*' };

/** An object that was copied from a module cache has no etag of ours; R2's own serves as well. */
function facts(object: R2Object): FileFacts {
  const { etag, checked } = object.customMetadata ?? {};
  return {
    size: object.size,
    etag: etag ?? object.httpEtag,
    checked: parseChecked(checked),
    storedAt: object.uploaded.getTime(),
  };
}

function served(range: ByteRange | undefined, size: number): Pick<StoredFile, 'range'> {
  return range
    ? { range: { offset: range.offset, length: Math.min(range.length, size - range.offset) } }
    : {};
}

interface SizedFile {
  readonly etag: string;
  readonly size: number;
}

/**
 * One put of a stream of declared length, which R2 requires. The put may end before the stream
 * does, when the file exists already or R2 failed. Nothing reads the pipe then, so no write may
 * wait for the pipe alone.
 */
function uploadStream(bucket: Bucket, key: StoreKey, { etag, size }: SizedFile): Upload {
  const { readable, writable } = openPipe(size);
  const writer = writable.getWriter();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- workerd's class, declared twice
  const stored = bucket.put(key, readable as never, { customMetadata: { etag }, onlyIf: ABSENT });
  stored.catch(() => undefined); // reported by write and commit

  async function untilStored(written: Promise<void>): Promise<void> {
    await Promise.race([written, stored]);
  }

  return {
    write: (chunk) => untilStored(writer.write(chunk)),
    async commit() {
      await untilStored(writer.close());
      return (await stored) !== null;
    },
    async abort(reason) {
      await writer.abort(reason).catch(() => undefined);
      await stored.catch(() => undefined);
    },
  };
}

/**
 * A multipart upload, for a body of unknown length. One part at a time is held in memory. R2 wants
 * equal parts of at least 5 MiB, except the last one.
 */
async function uploadParts(bucket: Bucket, key: StoreKey, etag: string): Promise<Upload> {
  const multipart = await bucket.createMultipartUpload(key, { customMetadata: { etag } });
  const parts: R2UploadedPart[] = [];
  const part = new Uint8Array(UPLOAD_PART_BYTES);
  let filled = 0;

  async function flush() {
    parts.push(await multipart.uploadPart(parts.length + 1, part.subarray(0, filled)));
    filled = 0;
  }

  return {
    async write(chunk) {
      for (let rest = chunk; rest.length > 0;) {
        const taken = rest.subarray(0, UPLOAD_PART_BYTES - filled);
        part.set(taken, filled);
        filled += taken.length;
        rest = rest.subarray(taken.length);
        if (filled === UPLOAD_PART_BYTES) await flush();
      }
    },
    async commit() {
      if (filled > 0 || parts.length === 0) await flush();
      // `complete` always replaces, which would change a copy whose etag readers already have.
      if (await bucket.head(key)) {
        await multipart.abort();
        return false;
      }
      await multipart.complete(parts);
      return true;
    },
    async abort() {
      await multipart.abort().catch(() => undefined);
    },
  };
}
