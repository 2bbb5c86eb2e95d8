import { compareKeys } from '../../../src/store/key.ts';
import { type Clock, systemClock } from '../../../src/effects/clock.ts';
import type {
  CopyLife,
  DurableStore,
  FileToStore,
  NearStore,
  NegativeEntry,
  StoredFile,
  WorldStore,
} from '../../../src/store/contract.ts';

/** Files with the times at which they were stored. */
class TimedFiles extends Map<string, FileToStore> {
  readonly #times = new Map<string, number>();
  readonly #clock: Pick<Clock, 'now'>;

  constructor(clock: Pick<Clock, 'now'>) {
    super();
    this.#clock = clock;
  }

  override set(key: string, file: FileToStore): this {
    this.#times.set(key, this.#clock.now());
    return super.set(key, file);
  }

  storedAt(key: string): number {
    return this.#times.get(key) ?? 0;
  }
}

const versionOf = (file: FileToStore) => Buffer.from(file.bytes).toString('base64');

/** A durable store in memory, with its content in `files`. */
export type MemoryStore = DurableStore & { readonly files: Map<string, FileToStore> };

/** `clock` gives the times at which files are stored. */
export function memoryStore(clock: Pick<Clock, 'now'> = systemClock): MemoryStore {
  const files = new TimedFiles(clock);
  return {
    label: 'r2',
    files,
    async read(key, range) {
      const file = files.get(key);
      if (!file) return undefined;
      const { bytes, ...facts } = file;
      const size = bytes.length;
      const storedAt = files.storedAt(key);
      if (!range) return { body: bytes, size, ...facts, storedAt };
      const body = bytes.slice(range.offset, range.offset + range.length);
      return { body, size, ...facts, range: { offset: range.offset, length: body.length } };
    },
    async head(key) {
      const file = files.get(key);
      if (!file) return undefined;
      const { bytes, ...facts } = file;
      return { size: bytes.length, ...facts, storedAt: files.storedAt(key) };
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
    async *list(prefix, after) {
      const listed = [...files].map(([key, { bytes }]) => ({ key, size: bytes.length }));
      const found = listed.filter(
        ({ key }) => key.startsWith(prefix) && (after === undefined || compareKeys(key, after) > 0),
      );
      yield* found.toSorted((a, b) => compareKeys(a.key, b.key));
    },
  };
}

/** A world tier in memory that evicts nothing. */
export function memoryCache(): WorldStore & { readonly files: Map<string, FileToStore> } {
  const files = new Map<string, FileToStore>();
  const times = new Map<string, number>();
  return {
    label: 'kv',
    files,
    async read(key) {
      const file = files.get(key);
      return file && { kind: 'file', asOf: times.get(key) ?? 0, file: stored(file) };
    },
    async write(key, file, { asOf }) {
      files.set(key, copyOf(file));
      times.set(key, asOf);
    },
    async remove(key) {
      files.delete(key);
    },
  };
}

interface Entry {
  readonly value: FileToStore | { readonly missing: NegativeEntry };
  readonly asOf: number;
  readonly until: number;
}

/** A near tier in memory, whose entries expire by `clock`. */
export function memoryEdge(
  clock: Pick<Clock, 'now'>,
): NearStore & { readonly files: Map<string, Entry> } {
  const files = new Map<string, Entry>();
  const keep = (key: string, value: Entry['value'], { asOf, seconds }: CopyLife) =>
    void files.set(key, { value, asOf, until: clock.now() + seconds * 1000 });
  return {
    label: 'edge',
    files,
    async read(key) {
      const entry = files.get(key);
      if (!entry || clock.now() >= entry.until) return undefined;
      const { asOf, value } = entry;
      if ('missing' in value) return { kind: 'missing', asOf, missing: value.missing };
      return { kind: 'file', asOf, file: stored(value) };
    },
    async write(key, file, life) {
      keep(key, copyOf(file), life);
    },
    async writeMissing(key, missing, life) {
      keep(key, { missing }, life);
    },
    async remove(key) {
      files.delete(key);
    },
  };
}

function copyOf(file: FileToStore): FileToStore {
  return { ...file, bytes: new Uint8Array(file.bytes) };
}

function stored({ bytes, ...facts }: FileToStore): StoredFile {
  return { body: new Uint8Array(bytes), size: bytes.length, ...facts };
}
