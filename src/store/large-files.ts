import type { ByteRange, Checked, StoredFile, Upload } from './contract.ts';
import { bytesOf, discard, fill, type Guard } from './guard.ts';
import type { StoreKey } from './key.ts';
import type { Hit, Tiers } from './layered.ts';

/**
 * Which part of a stored file is wanted, now that its size and etag are known; undefined for all of
 * it.
 */
export type SelectRange = (file: {
  readonly size: number;
  readonly etag: string;
}) => ByteRange | undefined;

export interface FindLarge {
  readonly select?: SelectRange;
  /**
   * Where the mark of the file is, if only checked files count: the result says what the mark says,
   * and what is not checked is neither taken from the edge cache nor copied there.
   */
  readonly mark?: StoreKey;
}

/** A stored file that is read in ranges. */
export interface RangedFile {
  readonly size: number;
  readonly etag: string;
  /**
   * Bytes `offset` to `offset + length - 1`. Rejects when R2 fails, or has another file there by
   * now.
   */
  read(offset: number, length: number): Promise<Uint8Array>;
  /**
   * As `read`, into `memory`, which has room for it and is transferred: go on with `.buffer` of the
   * result.
   */
  readInto(offset: number, length: number, memory: ArrayBuffer): Promise<Uint8Array<ArrayBuffer>>;
}

/**
 * Larger files are not copied into the edge cache: R2 streams them as well, and a data centre has
 * better use for the room.
 */
export const MAX_EDGE_BYTES = 32 * 1024 * 1024;

/**
 * Zips: streamed, in the edge cache and R2 only.
 *
 * A large one is in R2 before anybody can have checked it. What vouches for it is its mark, the
 * `.ziphash` beside it, which holds the `h1:` hash as it does in Go's module cache, and whose etag
 * is that of the very file that was checked: a mark never vouches for another file that came to lie
 * in the same place, and the go command's own marks, in a bucket that was copied from a module
 * cache, for none.
 */
export class LargeFiles {
  readonly #tiers: Tiers;
  readonly #guard: Guard;

  constructor(tiers: Tiers, guard: Guard) {
    this.#tiers = tiers;
    this.#guard = guard;
  }

  /** Whether there is an R2 at all. */
  get isDurable(): boolean {
    return this.#tiers.r2 !== undefined;
  }

  /**
   * A file, or the part of it that `select` chooses; ranges are served by R2 alone, which reads
   * them natively.
   */
  async find(key: StoreKey, { select, mark }: FindLarge = {}): Promise<Hit | undefined> {
    const { r2 } = this.#tiers;
    const facts = select && (await this.#guard.read('r2', r2?.head(key)));
    if (facts) {
      const part = await this.#guard.read('r2', r2?.read(key, select(facts)));
      if (part?.etag === facts.etag) return { file: await this.#withMark(part, mark), tier: 'r2' };
      if (part) discard(part.body); // the range was chosen for another file
    }
    return (await this.#findAtEdge(key, mark)) ?? this.#findInR2(key, mark);
  }

  async #findAtEdge(key: StoreKey, mark: StoreKey | undefined): Promise<Hit | undefined> {
    const near = await this.#guard.read('edge', this.#tiers.edge?.read(key));
    if (!near) return undefined;
    if (!mark || near.checked) return { file: near, tier: 'edge' };
    discard(near.body);
    return undefined;
  }

  async #findInR2(key: StoreKey, mark: StoreKey | undefined): Promise<Hit | undefined> {
    const stored = await this.#guard.read('r2', this.#tiers.r2?.read(key));
    if (!stored) return undefined;
    const file = await this.#withMark(stored, mark);
    if (!mark || file.checked) this.copyToEdge(key, file);
    return { file, tier: 'r2' };
  }

  async #withMark(file: StoredFile, key: StoreKey | undefined): Promise<StoredFile> {
    if (!key || file.checked) return file;
    const mark = await this.readMark(key);
    return mark?.etag === file.etag ? { ...file, checked: mark.hash } : file;
  }

  /**
   * The hash in a mark, and the etag of the file that it vouches for; that of a mark that is not
   * ours vouches for none.
   */
  async readMark(
    key: StoreKey,
  ): Promise<{ readonly hash: `h1:${string}`; readonly etag: string } | undefined> {
    const mark = await this.#guard.read('r2', this.#tiers.r2?.read(key));
    if (!mark) return undefined;
    const hash = new TextDecoder().decode(await bytesOf(mark.body)).trim();
    return isHash(hash) ? { hash, etag: mark.etag } : undefined;
  }

  /**
   * Copies a file from R2 into the edge cache, beside the answer, for at most `seconds` where that
   * is given.
   */
  copyToEdge(
    key: StoreKey,
    { size, etag, checked }: Pick<StoredFile, 'size' | 'etag' | 'checked'>,
    seconds?: number,
  ): void {
    const { edge, r2 } = this.#tiers;
    if (!edge || !r2 || size > MAX_EDGE_BYTES) return;
    // A second read of its own, not a tee: a slow client would make a tee hold the file in memory.
    const copy = async () => {
      const file = await r2.read(key);
      if (file && file.etag !== etag) return discard(file.body); // what was said of the other one says nothing of this
      if (file) await edge.writeStream(key, { ...file, ...(checked ? { checked } : {}) }, seconds);
    };
    this.#guard.write('edge', copy());
  }

  /** Starts a streamed write to R2; undefined where there is no R2, or it fails. */
  async upload(
    key: StoreKey,
    file: { readonly etag: string; readonly size: number | undefined },
  ): Promise<Upload | undefined> {
    return this.#guard.read('r2', this.#tiers.r2?.upload(key, file));
  }

  /**
   * The stored bytes of a file from `offset` to its end, or undefined, also where another copy of
   * it was stored.
   */
  async readFrom(
    key: StoreKey,
    offset: number,
    { size, etag }: { readonly size: number; readonly etag: string },
  ): Promise<ReadableStream<Uint8Array> | undefined> {
    const rest = await this.#guard.read(
      'r2',
      this.#tiers.r2?.read(key, { offset, length: size - offset }),
    );
    if (!rest) return undefined;
    if (rest.etag === etag) return streamOf(rest.body);
    discard(rest.body);
    return undefined;
  }

  /** The copy in R2 as it is now, or undefined. */
  async open(key: StoreKey): Promise<RangedFile | undefined> {
    const { r2 } = this.#tiers;
    const facts = r2 && (await this.#guard.read('r2', r2.head(key)));
    if (!facts) return undefined;
    const { size, etag } = facts;
    const bodyOf = async (range: ByteRange) => {
      const part = await r2.read(key, range);
      if (part?.etag === etag) return part.body;
      if (part) discard(part.body);
      throw new Error('The stored file was replaced while it was read');
    };
    return {
      size,
      etag,
      read: async (offset, length) => bytesOf(await bodyOf({ offset, length })),
      readInto: async (offset, length, memory) =>
        fill(memory, length, await bodyOf({ offset, length })),
    };
  }

  /**
   * Removes a file and its mark from every tier, unless another one came to lie there meanwhile.
   * Never rejects.
   */
  async remove(key: StoreKey, mark: StoreKey, etag: string): Promise<void> {
    const { edge, r2 } = this.#tiers;
    const now = await this.#guard.read('r2', r2?.head(key));
    if (now && now.etag !== etag) return;
    await this.#guard.attempt('edge', edge?.remove(key));
    await this.#guard.attempt('r2', r2?.remove([key, mark]));
  }

  /**
   * Marks the file with this etag as the one that a checksum database knows by `hash`. Never
   * rejects.
   */
  async mark(key: StoreKey, hash: string, etag: string): Promise<void> {
    const bytes = new TextEncoder().encode(hash);
    await this.#guard.attempt('r2', this.#tiers.r2?.write(key, { bytes, etag }, 'replace'));
  }
}

function isHash(text: string): text is Extract<Checked, `h1:${string}`> {
  return /^h1:[A-Za-z0-9+/]{43}=$/.test(text);
}

function streamOf(body: StoredFile['body']): ReadableStream<Uint8Array> {
  if (!(body instanceof Uint8Array)) return body;
  return new ReadableStream({
    start(controller) {
      controller.enqueue(body);
      controller.close();
    },
  });
}
