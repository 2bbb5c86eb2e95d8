import { createHash, randomUUID } from 'node:crypto';
import type { R2Bucket, R2Conditional, R2Object } from '@cloudflare/workers-types';
import { concatBytes } from '../../../src/bytes/concat.ts';
import { compareKeys } from '../../../src/store/key.ts';
import { declaredLength } from './streams.ts';

/** An R2 bucket in memory: atomic and strongly consistent. */
export interface MemoryBucket extends Pick<
  R2Bucket,
  'get' | 'head' | 'put' | 'list' | 'delete' | 'createMultipartUpload'
> {
  /** The stored objects by key. */
  readonly objects: ReadonlyMap<string, StoredObject>;
}

export interface StoredObject {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly customMetadata: Readonly<Record<string, string>>;
  readonly uploaded: Date;
}

interface ListOptions {
  readonly prefix?: string;
  readonly startAfter?: string;
  readonly cursor?: string;
}

interface PutOptions {
  readonly customMetadata?: Record<string, string>;
  readonly onlyIf?: R2Conditional;
}

const MAX_KEY_BYTES = 1024;
const PAGE = 1000;

export function memoryBucket(): MemoryBucket {
  const objects = new Map<string, StoredObject>();

  function store(key: string, bytes: Uint8Array, customMetadata: Record<string, string> = {}) {
    const etag = createHash('md5').update(bytes).digest('hex');
    const object = { bytes, etag, customMetadata, uploaded: new Date() };
    objects.set(key, object);
    return describe(key, object);
  }

  const bucket = {
    objects,

    async head(key: string) {
      const object = objects.get(key);
      return object ? describe(key, object) : null;
    },

    async get(key: string, options: { range?: { offset: number; length: number } } = {}) {
      const object = objects.get(key);
      if (!object) return null;
      const { range } = options;
      if (range && range.offset >= object.bytes.length)
        throw new Error('get: The requested range is not satisfiable (10039)');
      const { offset, length } = range ?? { offset: 0, length: object.bytes.length };
      const response = new Response(object.bytes.slice(offset, offset + length));
      return Object.assign(describe(key, object), {
        body: response.body,
        arrayBuffer: () => response.arrayBuffer(),
        text: () => response.text(),
      });
    },

    async put(key: string, value: unknown, options: PutOptions = {}) {
      if (Buffer.byteLength(key) > MAX_KEY_BYTES)
        throw new Error('put: The specified object name is not valid. (10020)');
      const bytes = await bytesOfPut(value);
      if (options.onlyIf && !holds(options.onlyIf, objects.get(key))) return null;
      return store(key, bytes, options.customMetadata);
    },

    async delete(keys: string | string[]) {
      for (const key of [keys].flat()) objects.delete(key);
    },

    async list({ prefix = '', startAfter = '', cursor = startAfter }: ListOptions = {}) {
      const keys = [...objects.keys()].filter((key) => key.startsWith(prefix));
      const rest = keys.toSorted(compareKeys).filter((key) => compareKeys(key, cursor) > 0);
      const page = rest.slice(0, PAGE).flatMap((key) => {
        const object = objects.get(key);
        return object ? [describe(key, object)] : [];
      });
      return rest.length > PAGE
        ? { objects: page, truncated: true, cursor: page.at(-1)?.key }
        : { objects: page, truncated: false };
    },

    async createMultipartUpload(key: string, options: PutOptions = {}) {
      const parts = new Map<number, Uint8Array>();
      return {
        key,
        uploadId: randomUUID(),
        async uploadPart(partNumber: number, value: Uint8Array) {
          parts.set(partNumber, new Uint8Array(value));
          return { partNumber, etag: String(partNumber) };
        },
        async complete(uploaded: readonly { readonly partNumber: number }[]) {
          const bytes = uploaded.map(({ partNumber }) => parts.get(partNumber) ?? missingPart());
          return store(key, concatBytes(bytes), options.customMetadata);
        },
        async abort() {
          parts.clear();
        },
      };
    },
  };
  return bucket as unknown as MemoryBucket;
}

function missingPart(): never {
  throw new Error('completeMultipartUpload: One or more of the specified parts is missing (10025)');
}

function describe(key: string, stored: StoredObject): R2Object {
  const { bytes, etag } = stored;
  const object = { ...stored, key, size: bytes.length, httpEtag: `"${etag}"` };
  return object as unknown as R2Object;
}

/** Rejects, and stores nothing, when a stream breaks off. */
async function bytesOfPut(value: unknown): Promise<Uint8Array> {
  if (value instanceof ReadableStream && declaredLength(value) === undefined)
    throw new TypeError('Provided readable stream must have a known length');
  return new Response(value as BodyInit).bytes();
}

function holds(
  { etagDoesNotMatch, etagMatches }: R2Conditional,
  object: StoredObject | undefined,
): boolean {
  if (etagMatches !== undefined) return object?.etag === etagMatches;
  if (etagDoesNotMatch === '*') return object === undefined;
  return object?.etag !== etagDoesNotMatch;
}
