import { compareKeys } from '../../../src/store/key.ts';
import type { Clock } from '../../../src/effects/clock.ts';
import type {
  CacheStore,
  DurableStore,
  NearStore,
  FileToStore,
  NegativeEntry,
  StoredFile,
} from '../../../src/store/contract.ts';
import { bytesOf } from '../../../src/bytes/streams.ts';

const versionOf = (file: FileToStore) => Buffer.from(file.bytes).toString('base64');

/** A durable store in memory, with its content in `files`. */
export type MemoryStore = DurableStore & { readonly files: Map<string, FileToStore> };

export function memoryStore(): MemoryStore {
  const files = new Map<string, FileToStore>();
  return {
    label: 'r2',
    files,
    async read(key, range) {
      const file = files.get(key);
      if (!file) return undefined;
      const { bytes, ...facts } = file;
      const size = bytes.length;
      if (!range) return { body: bytes, size, ...facts };
      const body = bytes.slice(range.offset, range.offset + range.length);
      return { body, size, ...facts, range: { offset: range.offset, length: body.length } };
    },
    async head(key) {
      const file = files.get(key);
      if (!file) return undefined;
      const { bytes, ...facts } = file;
      return { size: bytes.length, ...facts };
    },
    async swap(key, known, file) {
      const present = files.get(key);
      if ((present && versionOf(present)) !== known) return false;
      files.set(key, copyOf(file));
      return true;
    },
    async readForSwap(key) {
      const file = files.get(key);
      return file && { bytes: file.bytes, known: versionOf(file) };
    },
    async remove(keys) {
      for (const key of keys) files.delete(key);
    },
    async write(key, file, mode) {
      if (mode === 'create' && files.has(key)) return false;
      files.set(key, copyOf(file));
      return true;
    },
    async upload(key, { etag, size }) {
      const chunks: Uint8Array[] = [];
      let aborted = false;
      return {
        async write(chunk) {
          chunks.push(new Uint8Array(chunk));
        },
        async commit() {
          const bytes = new Uint8Array(Buffer.concat(chunks));
          if (aborted) throw new Error('The upload was aborted');
          if (size !== undefined && bytes.length !== size) {
            throw new Error(`${bytes.length} bytes of ${size}`);
          }
          if (files.has(key)) return false;
          files.set(key, { bytes, etag });
          return true;
        },
        async abort() {
          aborted = true;
        },
      };
    },
    async *list(prefix) {
      const listed = [...files].map(([key, { bytes }]) => ({ key, size: bytes.length }));
      const found = listed.filter(({ key }) => key.startsWith(prefix));
      yield* found.toSorted((a, b) => compareKeys(a.key, b.key));
    },
  };
}

/** A world tier in memory that evicts nothing. */
export function memoryCache(): CacheStore & { readonly files: Map<string, FileToStore> } {
  const files = new Map<string, FileToStore>();
  return {
    label: 'kv',
    files,
    async read(key) {
      const file = files.get(key);
      return file && stored(file);
    },
    async write(key, file) {
      files.set(key, copyOf(file));
    },
    async remove(key) {
      files.delete(key);
    },
  };
}

interface Entry<T> {
  readonly value: T;
  readonly until: number;
}

/** A near tier in memory, whose entries expire by `clock`. */
export function memoryEdge(
  clock: Pick<Clock, 'now'>,
): NearStore & { readonly files: Map<string, unknown> } {
  const files = new Map<string, Entry<FileToStore>>();
  const missing = new Map<string, Entry<NegativeEntry>>();
  const entry = <T>(value: T, seconds = 31_536_000): Entry<T> => ({
    value,
    until: clock.now() + seconds * 1000,
  });
  const alive = <T>(found: Entry<T> | undefined) =>
    found && clock.now() < found.until ? found.value : undefined;
  return {
    label: 'edge',
    files,
    async read(key) {
      const file = alive(files.get(key));
      return file && stored(file);
    },
    async write(key, file, seconds) {
      files.set(key, entry(copyOf(file), seconds));
    },
    async writeStream(key, { body, etag, checked }, seconds) {
      const bytes = await bytesOf(body);
      files.set(key, entry({ bytes, etag, checked }, seconds));
    },
    async remove(key) {
      files.delete(key);
    },
    async readMissing(key) {
      return alive(missing.get(key));
    },
    async writeMissing(key, answer, seconds) {
      missing.set(key, entry(answer, seconds));
    },
  };
}

function copyOf(file: FileToStore): FileToStore {
  return { ...file, bytes: new Uint8Array(file.bytes) };
}

function stored({ bytes, ...facts }: FileToStore): StoredFile {
  return { body: new Uint8Array(bytes), size: bytes.length, ...facts };
}
