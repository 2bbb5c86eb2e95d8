import type {
  FileToStore,
  ListedFile,
  NegativeEntry,
  StoredFile,
  SwappableFile,
  WriteMode,
} from './contract.ts';
import { Guard, type GuardEffects } from './guard.ts';
import { rememberedMissingKey, type StoreKey } from './key.ts';
import { LargeFiles, MAX_NEAR_BYTES } from './large-files.ts';
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
   * How the file is written to the durable tier. `if-changed` replaces a copy with another etag.
   */
  readonly durable: WriteMode | 'if-changed';
}

/** How long the near tier keeps a "not found" for outages. */
const REMEMBERED_MISSING_SECONDS = 30 * 86_400;

/**
 * The near, the world and the durable tier as one store, for one request. A small file from a
 * slower tier is copied to the near tier in the background. No method rejects: a tier that fails
 * counts as empty.
 */
export class LayeredStore {
  /** The streamed files. */
  readonly large: LargeFiles;
  readonly #tiers: Tiers;
  readonly #guard: Guard;

  constructor(tiers: Tiers, effects: GuardEffects) {
    this.#tiers = tiers;
    this.#guard = new Guard(effects);
    this.large = new LargeFiles(tiers, this.#guard);
  }

  /** The label of the durable tier; undefined where there is none. */
  get durableLabel(): string | undefined {
    return this.#tiers.durable?.label;
  }

  /**
   * An immutable small file from the fastest tier that has it; the near tier streams it. With
   * `checkedOnly` an unchecked file is not copied to the near tier: the caller checks it first.
   */
  async find(key: StoreKey, options: FindSmall): Promise<Hit | undefined> {
    const near = await this.findNear(key);
    if (near) return near;
    const found = await this.#findBehindNear(key, options);
    return found && { file: fileOf(found.file), tier: found.tier };
  }

  /** As `find`, with the bytes in memory: a stream that breaks off counts as a miss. */
  async findWhole(key: StoreKey, options: FindSmall): Promise<WholeHit | undefined> {
    const { near } = this.#tiers;
    const file = await this.#guard.readWhole(near, (store) => store.read(key));
    return near && file ? { file, tier: near.label } : this.#findBehindNear(key, options);
  }

  async #findBehindNear(key: StoreKey, options: FindSmall): Promise<WholeHit | undefined> {
    const { inWorldTier, nearSeconds, checkedOnly = false } = options;
    const { durable, near, world } = this.#tiers;
    for (const tier of [inWorldTier ? world : undefined, durable]) {
      const file = await this.#guard.readWhole(tier, (store) => store.read(key));
      if (!tier || !file) continue;
      if (!checkedOnly || file.checked) {
        this.#guard.write(near, (store) => store.write(key, file, nearSeconds));
      }
      return { file, tier: tier.label };
    }
    return undefined;
  }

  /** The copy in this data centre, which has not expired yet. */
  async findNear(key: StoreKey): Promise<Hit | undefined> {
    const { near } = this.#tiers;
    const file = await this.#guard.read(near, (store) => store.read(key));
    return near && file && { file, tier: near.label };
  }

  /** The durable copy, whatever its age. */
  async findDurable(key: StoreKey): Promise<Hit | undefined> {
    const { durable } = this.#tiers;
    const stored = await this.#guard.readWhole(durable, (store) => store.read(key));
    return durable && stored && { file: fileOf(stored), tier: durable.label };
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
    const { inWorldTier, nearSeconds } = keeping;
    this.keepNear(key, file, nearSeconds);
    if (inWorldTier && file.checked !== 'uncovered') {
      this.#guard.write(this.#tiers.world, (store) => store.write(key, file));
    }
    const known = file.checked === 'uncovered' ? { ...file, checked: undefined } : file;
    if (keeping.durable !== 'if-changed') await this.write(key, known, keeping.durable);
    else if (!(await this.#isStored(key, file.etag))) await this.write(key, known, 'replace');
  }

  /** Writes a file to the near tier only, in the background. */
  keepNear(key: StoreKey, file: FileToStore, seconds?: number): void {
    if (file.bytes.length > MAX_NEAR_BYTES) return;
    this.#guard.write(this.#tiers.near, (store) => store.write(key, file, seconds));
  }

  /**
   * Writes to the durable tier only. False when `create` found an existing file; undefined when the
   * tier is absent or fails.
   */
  async write(key: StoreKey, file: FileToStore, mode: WriteMode): Promise<boolean | undefined> {
    return this.#guard.attempt(this.#tiers.durable, (store) => store.write(key, file, mode));
  }

  async #isStored(key: StoreKey, etag: string): Promise<boolean> {
    const facts = await this.#guard.attempt(this.#tiers.durable, (store) => store.head(key));
    return facts?.etag === etag;
  }

  /** Removes files from every tier. Near copies in other data centres stay until they expire. */
  async remove(...keys: readonly StoreKey[]): Promise<void> {
    const { durable, near, world } = this.#tiers;
    const copies = keys.flatMap((key) =>
      [near, world].map((tier) => this.#guard.attempt(tier, (store) => store.remove(key))),
    );
    await Promise.all([...copies, this.#guard.attempt(durable, (store) => store.remove(keys))]);
  }

  /**
   * Reads a durable file for `swap`; undefined when there is none, or the tier is absent or fails.
   */
  async readForSwap(key: StoreKey): Promise<SwappableFile | undefined> {
    return this.#guard.read(this.#tiers.durable, (store) => store.readForSwap(key));
  }

  /**
   * Compare and swap in the durable tier. False when another version is stored. True also when the
   * tier is absent or fails: the caller has nothing to retry.
   */
  async swap(key: StoreKey, known: string | undefined, file: FileToStore): Promise<boolean> {
    const { durable } = this.#tiers;
    return (await this.#guard.attempt(durable, (store) => store.swap(key, known, file))) ?? true;
  }

  /** The negative entry of a key, unless it has expired. */
  async findMissing(key: StoreKey): Promise<NegativeHit | undefined> {
    const { near } = this.#tiers;
    const missing = await this.#guard.read(near, (store) => store.readMissing(key));
    return near && missing && { missing, tier: near.label };
  }

  /**
   * The last "not found" of an origin, for outages. It lives for a month unless the near tier
   * evicts it.
   */
  async findRememberedMissing(key: StoreKey): Promise<NegativeHit | undefined> {
    return this.findMissing(rememberedMissingKey(key));
  }

  /** Stores a "not found" in the background: for `seconds`, and once more for outages. */
  keepMissing(key: StoreKey, missing: NegativeEntry, seconds: number): void {
    const keep = (entry: StoreKey, life: number) =>
      this.#guard.write(this.#tiers.near, (store) => store.writeMissing(entry, missing, life));
    keep(key, seconds);
    keep(rememberedMissingKey(key), REMEMBERED_MISSING_SECONDS);
  }

  /** The durable files whose keys begin with `prefix`; empty when that tier is absent or fails. */
  async list(prefix: string): Promise<readonly ListedFile[]> {
    const { durable } = this.#tiers;
    return (await this.#guard.read(durable, (store) => collect(store.list(prefix)))) ?? [];
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
