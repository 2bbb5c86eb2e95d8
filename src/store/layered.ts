import type { Clock } from '../effects/clock.ts';
import {
  type FileToStore,
  type ListedFile,
  MAX_UNHELD_BYTES,
  type NegativeEntry,
  type StoredFile,
  type SwappableFile,
  type WriteMode,
} from './contract.ts';
import { Copies } from './copies.ts';
import { MAX_COPY_SECONDS } from './copy-life.ts';
import { Guard, type GuardEffects, removeFrom } from './guard.ts';
import { rememberedMissingKey, type StoreKey } from './key.ts';
import { LargeFiles, type HoldMemory } from './large-files.ts';
import { MarksFile, type MarksEffects } from './marks-file.ts';
import type { Hit, NegativeHit, Tiers, WholeHit } from './tiers.ts';

/** The tiers that a small file is read from and copied to. */
export interface Reach {
  /** Whether the world tier holds files of this kind. */
  readonly inWorldTier: boolean;
  /** How long the near tier keeps a copy, in seconds; undefined for the tier's own maximum. */
  readonly nearSeconds?: number | undefined;
}

export interface FindSmall extends Reach {
  readonly checkedOnly?: boolean | undefined;
}

export interface Keeping extends Reach {
  /**
   * How the file is written to the durable tier. `if-changed` replaces a copy with another etag, or
   * one that is older than `unchangedMs`, and none by an empty file.
   */
  readonly durable: WriteMode | 'if-changed';
  /**
   * How long the time of a durable copy may be that of its last change, in milliseconds.
   *
   * @default Infinity
   */
  readonly unchangedMs?: number | undefined;
}

export interface StoreEffects extends GuardEffects, Pick<MarksEffects, 'known'> {
  /** The document of marks. Default: that of the same tiers. */
  readonly marks?: MarksFile | undefined;
  /** Reserves memory for stored files that are read whole. */
  readonly hold: HoldMemory;
}

/**
 * The near, the world and the durable tier as one store, for one request. A small file from a
 * slower tier is copied to the faster ones in the background. No method rejects: a tier that fails
 * counts as empty.
 */
export class LayeredStore {
  /** The streamed files. */
  readonly large: LargeFiles;
  /** The marks and the takedowns. */
  readonly marks: MarksFile;
  readonly #tiers: Tiers;
  readonly #guard: Guard;
  readonly #copies: Copies;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(tiers: Tiers, effects: StoreEffects) {
    this.#clock = effects.clock;
    const guard = new Guard(effects);
    const marks = effects.marks ?? new MarksFile(tiers, { ...effects, guard });
    const copies = new Copies(tiers, { ...effects, guard, marks });
    this.marks = marks;
    this.#tiers = tiers;
    this.#guard = guard;
    this.#copies = copies;
    this.large = new LargeFiles(tiers, { guard, copies, hold: effects.hold });
  }

  /** The label of the durable tier; undefined where there is none. */
  get durableLabel(): string | undefined {
    return this.#tiers.durable?.label;
  }

  /**
   * An immutable small file from the fastest tier that has it, or the negative entry of its key;
   * the near tier streams the file. With `checkedOnly` an unchecked file is not copied to faster
   * tiers: the caller checks it first.
   */
  async find(key: StoreKey, options: FindSmall): Promise<Hit | NegativeHit | undefined> {
    const near = await this.findNear(key);
    if (near) return near;
    return this.#findBehindNear(key, options, MAX_UNHELD_BYTES);
  }

  /** As `find`, with the bytes in memory: a stream that breaks off counts as a miss. */
  async findWhole(key: StoreKey, options: FindSmall): Promise<WholeHit | undefined> {
    const { near } = this.#tiers;
    const copy = await this.#copies.readNear(key, { whole: true });
    if (near && copy?.kind === 'file')
      return { file: await this.#whole(copy.file), tier: near.label };
    const hit = await this.#findBehindNear(key, options, Infinity);
    return hit && { file: await this.#whole(hit.file), tier: hit.tier };
  }

  /** A file of more than `wholeBytes` is a stream, and copied to no faster tier. */
  async #findBehindNear(
    key: StoreKey,
    options: FindSmall,
    wholeBytes: number,
  ): Promise<Hit | undefined> {
    const { inWorldTier, nearSeconds: seconds, checkedOnly = false } = options;
    const { durable, world } = this.#tiers;
    const copy = inWorldTier ? await this.#copies.readWorld(key) : undefined;
    if (world && copy) {
      const file = await this.#whole(copy.file);
      const { asOf } = copy;
      if (!checkedOnly || file.checked) void this.#copies.keepNear(key, file, { asOf, seconds });
      return { kind: 'file', file: fileOf(file), tier: world.label };
    }
    const stored = await this.#readDurable(key, wholeBytes);
    if (!durable || !stored) return undefined;
    const { body, checked, etag } = stored;
    if (body instanceof Uint8Array && (!checkedOnly || checked)) {
      const file = { bytes: body, etag, checked };
      void this.#copies.keepNear(key, file, { seconds });
      if (inWorldTier) this.#copies.keepWorld(key, file);
    }
    return { kind: 'file', file: stored, tier: durable.label };
  }

  async #whole(file: StoredFile): Promise<FileToStore> {
    const { checked, etag } = file;
    return { bytes: await this.#guard.bytes(file), etag, checked };
  }

  /**
   * A small file that modferry needs for itself: from the durable tier, or from the near one where
   * there is no durable one. A call of the edge cache counts as a request to an origin does, of
   * which the platform allows few.
   */
  async findOwn(key: StoreKey): Promise<FileToStore | undefined> {
    if (this.#tiers.durable) {
      const stored = await this.#readDurable(key, Infinity);
      return stored && this.#whole(stored);
    }
    const copy = await this.#copies.readNear(key, { whole: true });
    return copy?.kind === 'file' ? this.#whole(copy.file) : undefined;
  }

  /** Writes a file to the tier that `findOwn` reads. Resolves when a durable write has ended. */
  async keepOwn(key: StoreKey, file: FileToStore, mode: WriteMode): Promise<void> {
    if (this.#tiers.durable) await this.write(key, file, mode);
    else this.keepNear(key, file);
  }

  /** The entry in this data centre, which has not expired yet. */
  async findNear(key: StoreKey): Promise<Hit | NegativeHit | undefined> {
    const { near } = this.#tiers;
    const copy = await this.#copies.readNear(key, { whole: false });
    return near && copy && { ...copy, tier: near.label };
  }

  /** The durable copy, whatever its age. A large one is a stream. */
  async findDurable(key: StoreKey): Promise<Hit | undefined> {
    const { durable } = this.#tiers;
    const file = await this.#readDurable(key, MAX_UNHELD_BYTES);
    return durable && file && { kind: 'file', file, tier: durable.label };
  }

  /** A file of at most `wholeBytes` is in memory, and a larger one a stream. */
  async #readDurable(key: StoreKey, wholeBytes: number): Promise<StoredFile | undefined> {
    return this.#guard.read(this.#tiers.durable, async (store) => {
      const file = await store.read(key);
      if (!file || file.size > wholeBytes) return file;
      return { ...fileOf(await this.#whole(file)), storedAt: file.storedAt };
    });
  }

  /**
   * Writes a file to every tier that `keeping` names. Resolves when the write to the durable tier
   * has ended.
   *
   * A version without a record in the database (`uncovered`) may get one later. So only the near
   * copy, which expires after `nearSeconds`, carries that check. The durable copy counts as
   * unchecked, and the world tier gets none.
   */
  async keep(key: StoreKey, file: FileToStore, keeping: Keeping): Promise<void> {
    const { inWorldTier, nearSeconds, unchangedMs = Infinity } = keeping;
    this.keepNear(key, file, nearSeconds);
    if (inWorldTier && file.checked !== 'uncovered') this.#copies.keepWorld(key, file);
    const known = file.checked === 'uncovered' ? { ...file, checked: undefined } : file;
    if (keeping.durable !== 'if-changed') await this.write(key, known, keeping.durable);
    else if (!(await this.#isStored(key, file, unchangedMs)))
      await this.write(key, known, 'replace');
  }

  /** Writes a file to the near tier only, in the background. */
  keepNear(key: StoreKey, file: FileToStore, seconds?: number): void {
    void this.#copies.keepNear(key, file, { seconds });
  }

  /**
   * Writes to the durable tier only. False when `create` found an existing file; undefined when the
   * tier is absent or fails.
   */
  async write(key: StoreKey, file: FileToStore, mode: WriteMode): Promise<boolean | undefined> {
    return this.#guard.attempt(this.#tiers.durable, (store) => store.write(key, file, mode));
  }

  /**
   * Whether the durable copy stays. An empty file does not replace it: a list is empty also where its
   * body had no declared length and was cut off.
   */
  async #isStored(key: StoreKey, file: FileToStore, maxAgeMs: number): Promise<boolean> {
    const { bytes, etag } = file;
    const facts = await this.#guard.attempt(this.#tiers.durable, (store) => store.head(key));
    if (facts && facts.size > 0 && bytes.length === 0) return true;
    const ageMs = this.#clock.now() - (facts?.storedAt ?? 0);
    return facts?.etag === etag && ageMs < maxAgeMs;
  }

  /** Removes files from every tier, and their copies in other data centres within a minute. */
  async remove(...keys: readonly StoreKey[]): Promise<void> {
    // Copies that are made while the file is still there would be younger than the mark.
    if (await this.undo(...keys)) await this.#copies.remove(keys);
  }

  /** Removes files that were written a moment ago from the durable tier. False when it fails. */
  async undo(...keys: readonly StoreKey[]): Promise<boolean> {
    const { durable } = this.#tiers;
    return !durable || (await removeFrom(durable, keys, this.#guard));
  }

  /**
   * Reads a durable file for `swap`; undefined when there is none, or the tier is absent or fails.
   */
  async readForSwap(key: StoreKey): Promise<SwappableFile | undefined> {
    return (await this.readOwn(key))?.file;
  }

  /** As above, where it matters that there is no file; undefined only when that is not known. */
  async readOwn(key: StoreKey): Promise<{ readonly file?: SwappableFile | undefined } | undefined> {
    return this.#guard.read(this.#tiers.durable, async (store) => ({
      file: await store.readForSwap(key),
    }));
  }

  /**
   * Compare and swap in the durable tier. False when another version is stored, or the tier fails.
   * True where there is no such tier: nothing can contradict it.
   */
  async swap(key: StoreKey, known: string | undefined, file: FileToStore): Promise<boolean> {
    const { durable } = this.#tiers;
    if (!durable) return true;
    return (await this.#guard.attempt(durable, (store) => store.swap(key, known, file))) ?? false;
  }

  /**
   * The last "not found" of an origin, for outages. It lives for a month unless the near tier
   * evicts it.
   */
  async findRememberedMissing(key: StoreKey): Promise<NegativeHit | undefined> {
    const entry = await this.findNear(rememberedMissingKey(key));
    return entry?.kind === 'missing' ? entry : undefined;
  }

  /** Keeps a "not found" in the background, for `seconds`. */
  keepMissing(key: StoreKey, missing: NegativeEntry, seconds: number): void {
    this.#copies.keepMissing(key, missing, seconds);
  }

  /** Keeps a "not found" in the background, for outages. */
  rememberMissing(key: StoreKey, missing: NegativeEntry): void {
    this.#copies.keepMissing(rememberedMissingKey(key), missing, MAX_COPY_SECONDS);
  }

  /** The durable files whose keys begin with `prefix`; empty when that tier is absent or fails. */
  async list(prefix: string): Promise<readonly ListedFile[]> {
    return (await this.tryList(prefix)) ?? [];
  }

  /** As above; undefined when the tier is absent or fails. */
  async tryList(prefix: string): Promise<readonly ListedFile[] | undefined> {
    return this.#guard.read(this.#tiers.durable, (store) => collect(store.list(prefix)));
  }
}

function fileOf({ bytes, etag, checked }: FileToStore): StoredFile {
  return { body: bytes, size: bytes.length, etag, checked };
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
