import { type H1, isH1 } from '../bytes/h1.ts';
import { type Body, discard } from '../bytes/streams.ts';
import { Held } from '../effects/held.ts';
import type { ByteRange, Checked, FileFacts, NewFile, StoredFile, Upload } from './contract.ts';
import { type Copies, MAX_NEAR_BYTES } from './copies.ts';
import { type Guard, removeFrom } from './guard.ts';
import type { StoreKey } from './key.ts';
import { type RangedFile, rangedFile } from './ranged-file.ts';
import type { Hit, NegativeHit, Tiers } from './tiers.ts';

/** Chooses the part to read of a stored file, given its size and etag. */
export type SelectPart = (file: Pick<FileFacts, 'size' | 'etag'>) => Part;

/**
 * The part of a file that is read: nothing but its metadata, the whole file, or a range. A range
 * that begins beyond the end is `unsatisfiable`.
 */
export type Part = 'metadata' | 'whole' | 'unsatisfiable' | ByteRange;

/** Reserves memory in bytes, until the result is called; undefined when there is none left. */
export type HoldMemory = (bytes: number) => (() => void) | undefined;

export interface FindLarge {
  /** Default: the whole file. */
  readonly select?: SelectPart | undefined;
  /**
   * Key of the hash file, for a file that needs a check. The result then tells whether the file was
   * checked. An unchecked copy is neither read from the near tier nor copied to it.
   */
  readonly hashKey?: StoreKey | undefined;
  /** The check of the copy with this etag that the caller has just made. */
  readonly verified?: Verified | undefined;
}

export interface Verified {
  readonly etag: string;
  readonly checked: Checked;
  /** How long the near tier keeps a copy, in seconds. */
  readonly nearSeconds?: number | undefined;
}

/** A hit. The body is empty for metadata and for an unsatisfiable range. */
export interface LargeHit extends Hit {
  readonly isUnsatisfiable?: true;
}

/** The content of a hash file, and the etag of the file that it belongs to. */
export interface StoredHash {
  readonly hash: H1;
  readonly etag: string;
}

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
  readonly #copies: Copies;
  readonly #hold: HoldMemory;

  constructor(tiers: Tiers, { copies, guard, hold }: LargeFilesEffects) {
    this.#tiers = tiers;
    this.#guard = guard;
    this.#copies = copies;
    this.#hold = hold;
  }

  /**
   * A file, or the part of it that `select` chooses, or the negative entry of its key; undefined
   * when nothing is stored. Ranges are read from the durable tier.
   */
  async find(key: StoreKey, options: FindLarge = {}): Promise<LargeHit | NegativeHit | undefined> {
    const { near } = this.#tiers;
    const { hashKey, select = () => 'whole' } = options;
    const copy = await this.#copies.readNear(key, { whole: false });
    if (!near || !copy) return this.#findDurable(key, options);
    if (copy.kind === 'missing') return { ...copy, tier: near.label };
    const { file } = copy;
    if (hashKey && !file.checked) {
      discard(file.body);
      return this.#findDurable(key, options);
    }
    const part = select(file);
    const whole: LargeHit = { ...copy, tier: near.label };
    if (part === 'whole') return whole;
    if (typeof part === 'object') {
      // Without the durable tier the whole copy is better than none: a range is a wish.
      const range = await this.#findRange(key, part, { ...options, facts: file });
      if (!range) return whole;
      discard(file.body);
      return range;
    }
    discard(file.body);
    return withoutBody(file, part, near.label);
  }

  async #findDurable(key: StoreKey, options: FindLarge): Promise<LargeHit | undefined> {
    const { durable } = this.#tiers;
    const { select } = options;
    if (!durable) return undefined;
    if (select) {
      const head = await this.#guard.read(durable, (store) => store.head(key));
      if (!head) return undefined;
      const part = select(head);
      if (part !== 'whole') {
        const facts = await this.#withCheck(head, options);
        return typeof part === 'object'
          ? this.#findRange(key, part, { ...options, facts })
          : withoutBody(facts, part, durable.label);
      }
    }
    const stored = await this.#guard.read(durable, (store) => store.read(key));
    if (!stored) return undefined;
    const file = { ...stored, ...(await this.#withCheck(stored, options)) };
    const mayCopy = !options.hashKey || file.checked !== undefined;
    const copied = mayCopy ? await this.#copyToNear(key, file, options) : file;
    return copied && { kind: 'file', file: { ...file, ...copied }, tier: durable.label };
  }

  /**
   * A range of the durable file with these facts. When the file was replaced since, the range was
   * chosen for another one: the answer is the whole new file then.
   */
  async #findRange(
    key: StoreKey,
    range: ByteRange,
    { facts, ...options }: FindLarge & { readonly facts: FileFacts },
  ): Promise<LargeHit | undefined> {
    const { durable } = this.#tiers;
    const part = await this.#guard.read(durable, (store) => store.read(key, range));
    if (!durable || !part) return undefined;
    if (part.etag === facts.etag) {
      const file = { ...part, checked: facts.checked };
      return { kind: 'file', file, tier: durable.label };
    }
    discard(part.body);
    return this.#findDurable(key, { ...options, select: undefined });
  }

  /** The facts of a durable file, with its check where one is known. */
  async #withCheck<F extends FileFacts>(
    facts: F,
    { hashKey, verified }: FindLarge,
  ): Promise<Pick<F, keyof FileFacts>> {
    const { checked, etag, size } = facts;
    if (verified?.etag === etag) return { size, etag, checked: verified.checked };
    if (!hashKey || checked) return { size, etag, checked };
    const stored = await this.readHash(hashKey);
    return { size, etag, checked: stored?.etag === etag ? stored.hash : undefined };
  }

  /**
   * The body of a durable file to answer with, from which the near tier gets a copy where it takes
   * one and there is memory. A body that is too slow for that is read again, as a stream. Undefined
   * when it cannot be read.
   */
  async #copyToNear(
    key: StoreKey,
    { body, checked, etag, size }: StoredFile,
    { verified }: FindLarge,
  ): Promise<Pick<StoredFile, 'body' | 'held'> | undefined> {
    const { durable, near } = this.#tiers;
    // A tee in place of the memory would hold the file as well, with a slow client.
    const release = near && size <= MAX_NEAR_BYTES ? this.#hold(size) : undefined;
    if (!release) return { body };
    const bytes = await this.#guard.read(durable, () => this.#guard.bytes({ body, size }));
    if (!bytes) {
      release();
      const again = await this.#guard.read(durable, (store) => store.read(key));
      if (again?.etag === etag) return { body: again.body };
      if (again) discard(again.body);
      return undefined;
    }
    const seconds = verified?.etag === etag ? verified.nearSeconds : undefined;
    const held = new Held(release);
    void this.#copies.keepNear(key, { bytes, etag, checked }, { seconds }).then(held.use());
    return { body: bytes, held };
  }

  /** Reads a hash file; undefined where there is none, or it holds no hash. */
  async readHash(hashKey: StoreKey): Promise<StoredHash | undefined> {
    const stored = await this.#guard.read(this.#tiers.durable, async (store) => {
      const file = await store.read(hashKey);
      return file && { bytes: await this.#guard.bytes(file), etag: file.etag };
    });
    if (!stored) return undefined;
    const hash = new TextDecoder().decode(stored.bytes).trim();
    return isH1(hash) ? { hash, etag: stored.etag } : undefined;
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
    const { limitedPart } = this.#guard;
    return durable && facts && rangedFile(facts, (range) => durable.read(key, range), limitedPart);
  }

  /**
   * Removes a file, its hash file and its copies in every data centre, unless the file was replaced.
   */
  async remove(key: StoreKey, hashKey: StoreKey, etag: string): Promise<void> {
    if (await this.removeUpload(key, hashKey, etag)) await this.#copies.remove([key]);
  }

  /**
   * Removes a file that was uploaded a moment ago and failed its check, so that there are no copies
   * of it. False when the file was replaced, and stays, or cannot be removed.
   */
  async removeUpload(key: StoreKey, hashKey: StoreKey, etag: string): Promise<boolean> {
    const { durable } = this.#tiers;
    const now = await this.#guard.read(durable, (store) => store.head(key));
    if (!durable || now?.etag !== etag) return false;
    return removeFrom(durable, [key, hashKey], this.#guard);
  }

  /** Writes the hash file of the file with this etag. */
  async writeHash(hashKey: StoreKey, hash: string, etag: string): Promise<void> {
    const file = { bytes: new TextEncoder().encode(hash), etag };
    await this.#guard.attempt(this.#tiers.durable, (store) =>
      store.write(hashKey, file, 'replace'),
    );
  }
}

export interface LargeFilesEffects {
  readonly guard: Guard;
  readonly copies: Copies;
  readonly hold: HoldMemory;
}

/** The answer without content: for a request that wants none, or a range beyond the end. */
function withoutBody(
  { checked, etag, size }: FileFacts,
  part: 'metadata' | 'unsatisfiable',
  tier: string,
): LargeHit {
  const file = { body: new Uint8Array(), size, etag, checked };
  return part === 'metadata'
    ? { kind: 'file', file, tier }
    : { kind: 'file', file, tier, isUnsatisfiable: true };
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
