import { discard } from '../bytes/streams.ts';
import type { Background } from '../effects/background.ts';
import { MAX_COPY_SECONDS } from './copy-life.ts';
import {
  type FileCopy,
  type FileToStore,
  MAX_UNHELD_BYTES,
  type NegativeCopy,
  type NegativeEntry,
} from './contract.ts';
import type { Guard } from './guard.ts';
import { markSubject, type StoreKey } from './key.ts';
import type { KnownMarks } from './marks.ts';
import type { MarksFile, MarksEffects } from './marks-file.ts';
import type { Tiers } from './tiers.ts';

/**
 * Larger files are not copied into the near tier: the durable tier streams them well, they would
 * evict many small files, and a copy is made from bytes in memory.
 */
export const MAX_NEAR_BYTES = 8 * 1024 * 1024;

/**
 * The copies of files in the near and the world tier, for one request. A copy that a mark has made
 * worthless counts as missing. No method rejects.
 */
export class Copies {
  readonly #tiers: Tiers;
  readonly #guard: Guard;
  readonly #marks: MarksFile;
  readonly #known: KnownMarks;
  readonly #background: Background;
  /**
   * When the request began. Whatever it copies was read after that, so a mark since then makes the
   * copy worthless, although the copy itself may be written after the mark.
   */
  readonly #asOf: number;

  constructor(tiers: Tiers, effects: MarksEffects & { readonly marks: MarksFile }) {
    this.#tiers = tiers;
    this.#guard = effects.guard;
    this.#marks = effects.marks;
    this.#known = effects.known;
    this.#background = effects.background;
    this.#asOf = effects.clock.now();
  }

  /**
   * The entry of the near tier, with a stream as body, or with `whole` with bytes: a stream that
   * breaks off then counts as missing.
   */
  readNear(
    key: StoreKey,
    { whole }: { readonly whole: boolean },
  ): Promise<FileCopy | NegativeCopy | undefined> {
    const { near } = this.#tiers;
    return this.#current(
      key,
      this.#guard.read(near, async (store) => {
        const copy = await store.read(key);
        if (!whole || copy?.kind !== 'file') return copy;
        return { ...copy, file: { ...copy.file, body: await this.#guard.bytes(copy.file) } };
      }),
    );
  }

  /** The copy in the world tier. */
  readWorld(key: StoreKey): Promise<FileCopy | undefined> {
    return this.#current(
      key,
      this.#guard.read(this.#tiers.world, (store) => store.read(key)),
    );
  }

  /** The copy, unless a mark has made it worthless. The marks are read at the same time. */
  async #current<C extends FileCopy | NegativeCopy>(
    key: StoreKey,
    reading: Promise<C | undefined>,
  ): Promise<C | undefined> {
    const [copy] = await Promise.all([reading, this.#marks.refresh()]);
    if (!copy || !this.#known.isOutdated(key, copy.asOf)) return copy;
    if (copy.kind === 'file') discard(copy.file.body);
    return undefined;
  }

  /**
   * Keeps a file of at most `MAX_NEAR_BYTES` in the near tier, in the background. Resolves when the
   * write has ended.
   */
  keepNear(key: StoreKey, file: FileToStore, options: KeepOptions = {}): Promise<void> {
    const { asOf = this.#asOf, seconds = MAX_COPY_SECONDS } = options;
    if (file.bytes.length > MAX_NEAR_BYTES) return Promise.resolve();
    return this.#guard.write(this.#tiers.near, (store) =>
      store.write(key, file, { asOf, seconds }),
    );
  }

  /** Keeps a negative entry in the near tier, in the background. */
  keepMissing(key: StoreKey, missing: NegativeEntry, seconds: number): void {
    const life = { asOf: this.#asOf, seconds };
    void this.#guard.write(this.#tiers.near, (store) => store.writeMissing(key, missing, life));
  }

  /** Keeps a file of at most `MAX_UNHELD_BYTES` in the world tier, in the background. */
  keepWorld(key: StoreKey, file: FileToStore): void {
    if (file.bytes.length > MAX_UNHELD_BYTES) return; // this tier reads its files whole
    const life = { asOf: this.#asOf, seconds: MAX_COPY_SECONDS };
    void this.#guard.write(this.#tiers.world, (store) => store.write(key, file, life));
  }

  /**
   * Removes the copies of files that were removed from the durable tier: here at once, elsewhere
   * within a minute, by a mark.
   */
  async remove(keys: readonly StoreKey[]): Promise<void> {
    const subjects = [...new Set(keys.map(markSubject))];
    this.#background('mark', this.#marks.add(subjects));
    const { near, world } = this.#tiers;
    await Promise.all(
      keys.flatMap((key) =>
        [near, world].map((tier) => this.#guard.attempt(tier, (store) => store.remove(key))),
      ),
    );
  }
}

export interface KeepOptions {
  /** When the file was known to be right. Default: when the request began. */
  readonly asOf?: number | undefined;
  /** Default: as long as the tier keeps anything. */
  readonly seconds?: number | undefined;
}
