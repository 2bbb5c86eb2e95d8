import { type H1, isH1 } from '../bytes/h1.ts';
import { type Body, bytesOf, discard, readInto } from '../bytes/streams.ts';
import type { ByteRange, FileFacts, NewFile, StoredFile, Upload } from './contract.ts';
import type { Guard } from './guard.ts';
import type { StoreKey } from './key.ts';
import type { Hit, Tiers } from './tiers.ts';

/**
 * Chooses the range to read of a stored file, given its size and etag; undefined for the whole
 * file.
 */
export type SelectRange = (
  file: Pick<FileFacts, 'size' | 'etag'>,
) => ByteRange | 'unsatisfiable' | undefined;

export interface FindLarge {
  readonly select?: SelectRange | undefined;
  /**
   * Key of the hash file, for a file that needs a check. The result then tells whether the file was
   * checked. An unchecked copy is neither read from the near tier nor copied to it.
   */
  readonly hashKey?: StoreKey | undefined;
}

/**
 * A hit. `isUnsatisfiable` means that the range begins beyond the end of the file; the body is
 * empty then.
 */
export interface LargeHit extends Hit {
  readonly isUnsatisfiable?: true;
}

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

/** The content of a hash file, and the etag of the file that it belongs to. */
export interface StoredHash {
  readonly hash: H1;
  readonly etag: string;
}

/**
 * Larger files are not copied into the near tier: the durable tier streams them well, and they
 * would evict many small files.
 */
export const MAX_NEAR_BYTES = 32 * 1024 * 1024;

/**
 * Streamed files, which only the near and the durable tier hold.
 *
 * A large file is in the durable tier before it is checked. A hash file beside it records the
 * check: the `.ziphash` of Go's module cache, with the `h1:` hash. Its etag is that of the checked
 * file. A file that later takes the same key has another etag, so the record does not apply to it.
 * Nor do the hash files of the go command, in a bucket that was copied from a module cache: their
 * etags match no file.
 */
export class LargeFiles {
  readonly #tiers: Tiers;
  readonly #guard: Guard;

  constructor(tiers: Tiers, guard: Guard) {
    this.#tiers = tiers;
    this.#guard = guard;
  }

  /**
   * A file, or the range of it that `select` chooses; undefined when it is not stored. Ranges are
   * read from the durable tier only.
   */
  async find(key: StoreKey, { select, hashKey }: FindLarge = {}): Promise<LargeHit | undefined> {
    const part = select && (await this.#findRange(key, select, hashKey));
    return part ?? (await this.#findNear(key, hashKey)) ?? this.#findDurable(key, hashKey);
  }

  async #findRange(
    key: StoreKey,
    select: SelectRange,
    hashKey: StoreKey | undefined,
  ): Promise<LargeHit | undefined> {
    const { durable } = this.#tiers;
    const facts = await this.#guard.read(durable, (store) => store.head(key));
    if (!durable || !facts) return undefined;
    const tier = durable.label;
    const range = select(facts);
    if (range === 'unsatisfiable') {
      const file = await this.#withHash({ ...facts, body: new Uint8Array() }, hashKey);
      return { file, tier, isUnsatisfiable: true };
    }
    const part = await this.#guard.read(durable, (store) => store.read(key, range));
    if (part?.etag === facts.etag) return { file: await this.#withHash(part, hashKey), tier };
    if (part) discard(part.body); // replaced since: the range was chosen for the previous file
    return undefined;
  }

  async #findNear(key: StoreKey, hashKey: StoreKey | undefined): Promise<LargeHit | undefined> {
    const { near } = this.#tiers;
    const file = await this.#guard.read(near, (store) => store.read(key));
    if (!near || !file) return undefined;
    if (!hashKey || file.checked) return { file, tier: near.label };
    discard(file.body);
    return undefined;
  }

  async #findDurable(key: StoreKey, hashKey: StoreKey | undefined): Promise<LargeHit | undefined> {
    const { durable } = this.#tiers;
    const stored = await this.#guard.read(durable, (store) => store.read(key));
    if (!durable || !stored) return undefined;
    const file = await this.#withHash(stored, hashKey);
    if (!hashKey || file.checked) this.copyToNear(key, file);
    return { file, tier: durable.label };
  }

  async #withHash(file: StoredFile, hashKey: StoreKey | undefined): Promise<StoredFile> {
    if (!hashKey || file.checked) return file;
    const stored = await this.readHash(hashKey);
    return stored?.etag === file.etag ? { ...file, checked: stored.hash } : file;
  }

  /** Reads a hash file; undefined where there is none, or it holds no hash. */
  async readHash(hashKey: StoreKey): Promise<StoredHash | undefined> {
    const stored = await this.#guard.readWhole(this.#tiers.durable, (store) => store.read(hashKey));
    if (!stored) return undefined;
    const hash = new TextDecoder().decode(stored.bytes).trim();
    return isH1(hash) ? { hash, etag: stored.etag } : undefined;
  }

  /**
   * Copies a durable file to the near tier in the background, at most for `seconds` where that is
   * given.
   */
  copyToNear(key: StoreKey, { size, etag, checked }: FileFacts, seconds?: number): void {
    const { durable, near } = this.#tiers;
    if (!durable || size > MAX_NEAR_BYTES) return;
    // A second read in place of a tee: with a slow client, a tee would hold the file in memory.
    this.#guard.write(near, async (store) => {
      const file = await durable.read(key);
      if (file?.etag === etag) await store.writeStream(key, { ...file, checked }, seconds);
      else if (file) discard(file.body); // replaced since: `checked` is that of the previous file
    });
  }

  /** Starts a streamed write; undefined where the durable tier is absent or fails. */
  async upload(key: StoreKey, file: NewFile): Promise<Upload | undefined> {
    return this.#guard.read(this.#tiers.durable, (store) => store.upload(key, file));
  }

  /**
   * The stored bytes of a file from `offset` to its end; undefined when the file with this etag is
   * not stored any more.
   */
  async readFrom(
    key: StoreKey,
    offset: number,
    { size, etag }: Pick<FileFacts, 'size' | 'etag'>,
  ): Promise<ReadableStream<Uint8Array> | undefined> {
    const range = { offset, length: size - offset };
    const rest = await this.#guard.read(this.#tiers.durable, (store) => store.read(key, range));
    if (!rest) return undefined;
    if (rest.etag === etag) return streamOf(rest.body);
    discard(rest.body);
    return undefined;
  }

  /** The current durable copy, to be read in ranges; undefined when there is none. */
  async open(key: StoreKey): Promise<RangedFile | undefined> {
    const { durable } = this.#tiers;
    const facts = await this.#guard.read(durable, (store) => store.head(key));
    return durable && facts && rangedFile(facts, (range) => durable.read(key, range));
  }

  /** Removes a file and its hash file from every tier, unless the file was replaced. */
  async remove(key: StoreKey, hashKey: StoreKey, etag: string): Promise<void> {
    const { durable, near } = this.#tiers;
    const now = await this.#guard.read(durable, (store) => store.head(key));
    if (now && now.etag !== etag) return;
    await this.#guard.attempt(near, (store) => store.remove(key));
    await this.#guard.attempt(durable, (store) => store.remove([key, hashKey]));
  }

  /** Writes the hash file of the file with this etag. */
  async writeHash(hashKey: StoreKey, hash: string, etag: string): Promise<void> {
    const file = { bytes: new TextEncoder().encode(hash), etag };
    await this.#guard.attempt(this.#tiers.durable, (store) =>
      store.write(hashKey, file, 'replace'),
    );
  }
}

/** A file that `readRange` reads a part of. A read rejects when the part has another etag. */
export function rangedFile(
  { size, etag }: Pick<FileFacts, 'size' | 'etag'>,
  readRange: (range: ByteRange) => Promise<StoredFile | undefined>,
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
    read: async (offset, length) => bytesOf(await bodyOf({ offset, length })),
    readInto: async (offset, length, memory) =>
      readInto(memory, length, await bodyOf({ offset, length })),
  };
}

function streamOf(body: Body): ReadableStream<Uint8Array> {
  if (!(body instanceof Uint8Array)) return body;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(body);
      controller.close();
    },
  });
}
