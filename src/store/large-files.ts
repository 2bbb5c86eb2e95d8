import { type H1, isH1 } from '../bytes/h1.ts';
import { type Body, bytesOf, discard, readInto } from '../bytes/streams.ts';
import type { ByteRange, FileFacts, NewFile, StoredFile, Upload } from './contract.ts';
import type { Guard } from './guard.ts';
import type { StoreKey } from './key.ts';
import type { Hit, Tiers } from './tiers.ts';

/**
 * Which part of a stored file is wanted, now that its size and etag are known; undefined for all of
 * it.
 */
export type SelectRange = (
  file: Pick<FileFacts, 'size' | 'etag'>,
) => ByteRange | 'unsatisfiable' | undefined;

export interface FindLarge {
  readonly select?: SelectRange | undefined;
  /**
   * Key of the hash file of a file that counts only when it was checked. The result says whether it
   * was; a file that was not is neither taken from the near tier nor copied there.
   */
  readonly hashKey?: StoreKey | undefined;
}

/**
 * A hit; `isUnsatisfiable` where the wanted range begins beyond the end of the file, whose body is
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
   * Bytes `offset` to `offset + length - 1`. Rejects when the store fails, or has another file
   * there by now.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /**
   * As `read`, into `memory`, which has room for it and is transferred: use `.buffer` of the result
   * from then on.
   */
  readInto(offset: number, length: number, memory: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>>;
}

/** The hash in a hash file, and the etag of the file that it vouches for. */
export interface StoredHash {
  readonly hash: H1;
  readonly etag: string;
}

/**
 * Larger files are not copied into the near tier: the durable one streams them as well, and a data
 * centre has better use for the room.
 */
export const MAX_NEAR_BYTES = 32 * 1024 * 1024;

/**
 * Files that are streamed: in the near and the durable tier only.
 *
 * A large file is in the durable tier before it can have been checked. What vouches for it is the
 * hash file beside it, the `.ziphash` of Go's module cache, which holds the `h1:` hash. The etag of
 * the hash file is that of the very file that was checked: so it never vouches for another file
 * that came to lie in the same place, and the go command's own hash files, in a bucket that was
 * copied from a module cache, vouch for none.
 */
export class LargeFiles {
  readonly #tiers: Tiers;
  readonly #guard: Guard;

  constructor(tiers: Tiers, guard: Guard) {
    this.#tiers = tiers;
    this.#guard = guard;
  }

  /** A file, or the part of it that `select` chooses; the durable tier alone serves ranges. */
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
    if (part) discard(part.body); // the range was chosen for another file
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

  /** What a hash file says; undefined where there is none, or it holds no hash. */
  async readHash(hashKey: StoreKey): Promise<StoredHash | undefined> {
    const stored = await this.#guard.readWhole(this.#tiers.durable, (store) => store.read(hashKey));
    if (!stored) return undefined;
    const hash = new TextDecoder().decode(stored.bytes).trim();
    return isH1(hash) ? { hash, etag: stored.etag } : undefined;
  }

  /**
   * Copies a durable file into the near tier, in the background, for at most `seconds` where that
   * is given.
   */
  copyToNear(key: StoreKey, { size, etag, checked }: FileFacts, seconds?: number): void {
    const { durable, near } = this.#tiers;
    if (!durable || size > MAX_NEAR_BYTES) return;
    // A second read, not a tee of the first: a slow client would make a tee hold the file in
    // memory.
    this.#guard.write(near, async (store) => {
      const file = await durable.read(key);
      if (file?.etag === etag) await store.writeStream(key, { ...file, checked }, seconds);
      else if (file) discard(file.body); // the check was one of another file
    });
  }

  /** Starts a streamed write; undefined where there is no durable tier, or it fails. */
  async upload(key: StoreKey, file: NewFile): Promise<Upload | undefined> {
    return this.#guard.read(this.#tiers.durable, (store) => store.upload(key, file));
  }

  /**
   * The stored bytes of a file from `offset` to its end; undefined also where another copy of it
   * was stored.
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

  /** The durable copy as it is now, to be read in ranges. */
  async open(key: StoreKey): Promise<RangedFile | undefined> {
    const { durable } = this.#tiers;
    const facts = await this.#guard.read(durable, (store) => store.head(key));
    return durable && facts && rangedFile(facts, (range) => durable.read(key, range));
  }

  /** Removes a file and its hash file from every tier, unless another file came to lie there. */
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

/** A file that `readRange` reads a part of; every read rejects when the part is of another file. */
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
