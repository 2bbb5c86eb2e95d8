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
import type { Hit, NegativeHit, Tiers } from './tiers.ts';

/** Where a small file is looked for, and how copies of it are kept in the faster tiers. */
export interface Reach {
  /** Whether the world tier holds files of its kind. */
  readonly inWorldTier: boolean;
  /** Seconds that the near tier keeps a copy; as long as that tier does where it is undefined. */
  readonly nearSeconds?: number | undefined;
}

export interface Keeping extends Reach {
  /** How the durable tier takes it; `if-changed` replaces a copy that has another etag. */
  readonly durable: WriteMode | 'if-changed';
}

/** How long the near tier remembers for outages that an origin had no such file. */
const REMEMBERED_MISSING_SECONDS = 30 * 86_400;

/**
 * The near, the world and the durable tier as one store, for one request. A file that a slow tier
 * had is copied to the faster ones in the background. No method rejects: a tier that fails has
 * nothing.
 */
export class LayeredStore {
  /** Files that are streamed. */
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
   * An immutable small file from any tier, whole. With `checkedOnly` a file that was never checked
   * is not copied to faster tiers: the caller checks it now.
   */
  async find(
    key: StoreKey,
    {
      inWorldTier,
      nearSeconds,
      checkedOnly = false,
    }: Reach & { readonly checkedOnly?: boolean | undefined },
  ): Promise<Hit | undefined> {
    const near = await this.findNear(key);
    if (near) return near;
    const { durable, world } = this.#tiers;
    for (const tier of [inWorldTier ? world : undefined, durable]) {
      const stored = await this.#guard.readWhole(tier, (store) => store.read(key));
      if (!tier || !stored) continue;
      if (!checkedOnly || stored.checked) {
        this.#guard.write(this.#tiers.near, (store) => store.write(key, stored, nearSeconds));
      }
      return { file: fileOf(stored), tier: tier.label };
    }
    return undefined;
  }

  /** The copy of this data centre, which it keeps for as long as it was told to. */
  async findNear(key: StoreKey): Promise<Hit | undefined> {
    const { near } = this.#tiers;
    const file = await this.#guard.read(near, (store) => store.read(key));
    return near && file && { file, tier: near.label };
  }

  /** The durable copy, however old. */
  async findDurable(key: StoreKey): Promise<Hit | undefined> {
    const { durable } = this.#tiers;
    const stored = await this.#guard.readWhole(durable, (store) => store.read(key));
    return durable && stored && { file: fileOf(stored), tier: durable.label };
  }

  /**
   * Keeps a file in every tier that `keeping` names. Resolves when the durable tier has it.
   *
   * That a database has no record of a version may change: that stands beside the near copy alone,
   * which lives for `nearSeconds`, and the durable copy is kept as one that was never checked.
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

  /** Keeps a file in the near tier alone, in the background. */
  keepNear(key: StoreKey, file: FileToStore, seconds?: number): void {
    if (file.bytes.length > MAX_NEAR_BYTES) return;
    this.#guard.write(this.#tiers.near, (store) => store.write(key, file, seconds));
  }

  /**
   * Writes to the durable tier alone: whether the file is there now by this write; undefined when
   * that failed.
   */
  async write(key: StoreKey, file: FileToStore, mode: WriteMode): Promise<boolean | undefined> {
    return this.#guard.attempt(this.#tiers.durable, (store) => store.write(key, file, mode));
  }

  async #isStored(key: StoreKey, etag: string): Promise<boolean> {
    const facts = await this.#guard.attempt(this.#tiers.durable, (store) => store.head(key));
    return facts?.etag === etag;
  }

  /** Removes files from every tier; from the near tier of this data centre alone. */
  async remove(...keys: readonly StoreKey[]): Promise<void> {
    const { durable, near, world } = this.#tiers;
    const copies = keys.flatMap((key) =>
      [near, world].map((tier) => this.#guard.attempt(tier, (store) => store.remove(key))),
    );
    await Promise.all([...copies, this.#guard.attempt(durable, (store) => store.remove(keys))]);
  }

  /** A file that is changed by compare and swap. */
  async readForSwap(key: StoreKey): Promise<SwappableFile | undefined> {
    return this.#guard.read(this.#tiers.durable, (store) => store.readForSwap(key));
  }

  /**
   * False when another version is stored by now; true also where there is no durable tier, or it
   * fails.
   */
  async swap(key: StoreKey, known: string | undefined, file: FileToStore): Promise<boolean> {
    const { durable } = this.#tiers;
    return (await this.#guard.attempt(durable, (store) => store.swap(key, known, file))) ?? true;
  }

  /** The negative entry of a key while it lives. */
  async findMissing(key: StoreKey): Promise<NegativeHit | undefined> {
    const { near } = this.#tiers;
    const missing = await this.#guard.read(near, (store) => store.readMissing(key));
    return near && missing && { missing, tier: near.label };
  }

  /**
   * The last "not found" of an origin, for outages. It lives long, but the near tier may forget it.
   */
  async findRememberedMissing(key: StoreKey): Promise<NegativeHit | undefined> {
    return this.findMissing(rememberedMissingKey(key));
  }

  /** Remembers a "not found", as a negative entry for `seconds`, and for outages. */
  keepMissing(key: StoreKey, missing: NegativeEntry, seconds: number): void {
    const keep = (entry: StoreKey, life: number) =>
      this.#guard.write(this.#tiers.near, (store) => store.writeMissing(entry, missing, life));
    keep(key, seconds);
    keep(rememberedMissingKey(key), REMEMBERED_MISSING_SECONDS);
  }

  /** The durable files whose keys begin with `prefix`; none where that tier is absent or fails. */
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
