import type {
  CacheStore,
  DurableStore,
  EdgeStore,
  FileToStore,
  Missing,
  StoredFile,
} from './contract.ts';
import { Guard, type GuardEffects } from './guard.ts';
import { saidMissingKey, type StoreKey } from './key.ts';
import { LargeFiles, MAX_EDGE_BYTES } from './large-files.ts';

/** The tiers, each of which may be absent. */
export interface Tiers {
  readonly edge?: EdgeStore;
  readonly kv?: CacheStore;
  readonly r2?: DurableStore;
}

export interface Hit {
  readonly file: StoredFile;
  readonly tier: 'edge' | 'kv' | 'r2';
}

/** How a small file is kept. */
export interface Keeping {
  /** Whether KV holds files of its kind. */
  readonly kv: boolean;
  /** How long the edge cache believes it; for ever where that is absent. */
  readonly seconds?: number;
}

/** How long the edge is asked to remember that an origin said no. */
const SAID_MISSING_SECONDS = 30 * 86_400;

/**
 * Edge cache, then KV, then R2, for one request. What a slow tier had is copied to the faster ones
 * in the background.
 */
export class LayeredStore {
  /** Zips. */
  readonly large: LargeFiles;
  readonly #tiers: Tiers;
  readonly #guard: Guard;

  constructor(tiers: Tiers, effects: GuardEffects) {
    this.#tiers = tiers;
    this.#guard = new Guard(effects);
    this.large = new LargeFiles(tiers, this.#guard);
  }

  /**
   * An immutable small file (`.info`, `.mod`, a lookup, a tile): whole, from any tier. With
   * `checkedOnly` a file that was never checked is not copied to faster tiers: the caller checks it
   * now.
   */
  async findSmall(
    key: StoreKey,
    { kv, seconds, checkedOnly = false }: Keeping & { readonly checkedOnly?: boolean },
  ): Promise<Hit | undefined> {
    const { edge, r2 } = this.#tiers;
    const near = await this.#guard.read('edge', edge?.read(key));
    if (near) return { file: near, tier: 'edge' };
    const copy = (file: FileToStore) => {
      if (!checkedOnly || file.checked) this.#guard.write('edge', edge?.write(key, file, seconds));
    };
    const small = kv ? await this.#guard.readWhole('kv', this.#tiers.kv?.read(key)) : undefined;
    if (small) {
      copy(small);
      return { file: fileOf(small), tier: 'kv' };
    }
    const stored = await this.#guard.readWhole('r2', r2?.read(key));
    if (!stored) return undefined;
    copy(stored);
    return { file: fileOf(stored), tier: 'r2' };
  }

  /** A mutable file that is still fresh in this data centre. */
  async findFresh(key: StoreKey): Promise<Hit | undefined> {
    const file = await this.#guard.read('edge', this.#tiers.edge?.read(key));
    return file && { file, tier: 'edge' };
  }

  /** The last good copy of a mutable file, however old. */
  async findLastGood(key: StoreKey): Promise<Hit | undefined> {
    const stored = await this.#guard.readWhole('r2', this.#tiers.r2?.read(key));
    return stored && { file: fileOf(stored), tier: 'r2' };
  }

  /** Keeps an immutable file in every tier, for ever. Resolves when R2 has it; never rejects. */
  async keep(key: StoreKey, file: FileToStore, { kv, seconds }: Keeping): Promise<void> {
    this.keepNear(key, file, seconds);
    if (kv) this.#guard.write('kv', this.#tiers.kv?.write(key, file));
    await this.#create(key, file);
  }

  /**
   * Keeps an immutable file that no checksum database knows: at the edge with that word, for
   * `seconds`, and in R2 for ever and unmarked, as a database may have a record tomorrow. Resolves
   * when R2 has it; never rejects.
   */
  async keepUncovered(
    key: StoreKey,
    file: FileToStore,
    seconds: number | undefined,
  ): Promise<void> {
    this.keepNear(key, { ...file, checked: 'uncovered' }, seconds);
    await this.#create(key, { bytes: file.bytes, etag: file.etag });
  }

  async #create(key: StoreKey, file: FileToStore): Promise<void> {
    await this.#guard.attempt('r2', this.#tiers.r2?.write(key, file, 'create'));
  }

  /**
   * Keeps a file at the edge alone, beside the answer, for at most `seconds` where that is given.
   */
  keepNear(key: StoreKey, file: FileToStore, seconds?: number): void {
    if (file.bytes.length > MAX_EDGE_BYTES) return;
    this.#guard.write('edge', this.#tiers.edge?.write(key, file, seconds));
  }

  /**
   * Writes over what every tier has: for a stored file that was checked only now, or found to be
   * damaged.
   */
  async replace(key: StoreKey, file: FileToStore, { kv, seconds }: Keeping): Promise<void> {
    this.keepNear(key, file, seconds);
    if (kv) this.#guard.write('kv', this.#tiers.kv?.write(key, file));
    await this.#guard.attempt('r2', this.#tiers.r2?.write(key, file, 'replace'));
  }

  /**
   * Keeps a mutable file: at the edge while it is fresh, and as the last good copy, written only
   * when it changed.
   */
  async keepLastGood(key: StoreKey, file: FileToStore, seconds: number): Promise<void> {
    this.keepNear(key, file, seconds);
    const known = await this.#guard.attempt('r2', this.#tiers.r2?.head(key));
    if (known?.etag === file.etag) return;
    await this.#guard.attempt('r2', this.#tiers.r2?.write(key, file, 'replace'));
  }

  /**
   * Removes files from every tier, in other data centres as far as they can be reached. Never
   * rejects.
   */
  async remove(...keys: readonly StoreKey[]): Promise<void> {
    const { edge, kv, r2 } = this.#tiers;
    const near = keys.flatMap((key) => [
      this.#guard.attempt('edge', edge?.remove(key)),
      this.#guard.attempt('kv', kv?.remove(key)),
    ]);
    await Promise.all([...near, this.#guard.attempt('r2', r2?.remove(keys))]);
  }

  /** A file that is changed by compare and swap, with what `swap` knows it by. */
  async readForSwap(
    key: StoreKey,
  ): Promise<{ readonly bytes: Uint8Array; readonly known: string } | undefined> {
    return this.#guard.read('r2', this.#tiers.r2?.readForSwap(key));
  }

  /**
   * Replaces that file unless somebody else has. False when somebody has; true also where there is
   * no R2, or it fails.
   */
  async swap(key: StoreKey, known: string | undefined, file: FileToStore): Promise<boolean> {
    return (await this.#guard.attempt('r2', this.#tiers.r2?.swap(key, known, file))) ?? true;
  }

  async findMissing(key: StoreKey): Promise<Missing | undefined> {
    return this.#guard.read('edge', this.#tiers.edge?.readMissing(key));
  }

  /**
   * What an origin last said no to, for when nobody can be asked any more. Long, but never durable:
   * the edge may forget.
   */
  async findSaidMissing(key: StoreKey): Promise<Missing | undefined> {
    return this.#guard.read('edge', this.#tiers.edge?.readMissing(saidMissingKey(key)));
  }

  keepMissing(key: StoreKey, missing: Missing, seconds: number): void {
    const { edge } = this.#tiers;
    this.#guard.write('edge', edge?.writeMissing(key, missing, seconds));
    this.#guard.write(
      'edge',
      edge?.writeMissing(saidMissingKey(key), missing, SAID_MISSING_SECONDS),
    );
  }

  /** Every stored key that begins with `prefix`; none where R2 is absent or fails. */
  async keys(prefix: string): Promise<readonly string[]> {
    const { r2 } = this.#tiers;
    return (r2 && (await this.#guard.read('r2', collect(r2.keys(prefix))))) ?? [];
  }
}

function fileOf({ bytes, etag, checked }: FileToStore): StoredFile {
  return { body: bytes, size: bytes.length, etag, ...(checked ? { checked } : {}) };
}

async function collect(keys: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const key of keys) all.push(key);
  return all;
}
