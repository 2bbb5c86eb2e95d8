import type { Clock } from '../effects/clock.ts';
import type { Emit, TroubleEvent } from '../effects/emit.ts';
import { failed, type Result, success } from '../effects/result.ts';
import { etagOf } from './etag.ts';
import { ownKey, type OwnName } from './key.ts';
import type { LayeredStore } from './layered.ts';

/** A document that modferry keeps for itself below `.modferry/`, as JSON. */
export interface OwnDocumentKind<T> {
  readonly name: OwnName;
  /** What there is where nothing was written. */
  readonly empty: T;
  /** Fails for a text that is damaged, or from a newer release: it is never written over then. */
  readonly parse: (json: unknown) => Result<T>;
}

/** What an isolate knows of a document. It outlives requests. */
export interface KnownDocument<T> {
  value: T | undefined;
  /** When the value was that of the durable tier, in milliseconds since the epoch. */
  asOf: number;
  /** When it is read again after it could not be. */
  retryAt: number;
  /** How many changes this isolate has written. */
  writes: number;
}

export function unreadDocument<T>(): KnownDocument<T> {
  return { value: undefined, asOf: -Infinity, retryAt: -Infinity, writes: 0 };
}

export interface OwnDocumentEffects {
  readonly store: Pick<LayeredStore, 'durableLabel' | 'readOwn' | 'swap'>;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly emit: Emit<TroubleEvent>;
}

/** How often a change is tried, when another isolate was faster or the store refused it. */
const MAX_SWAPS = 5;

/** R2 accepts one write per second for a key. */
const SWAP_PAUSE_MS = 1_000;

/** When a document that could not be read is read again. */
const RETRY_MS = 5_000;

/**
 * One document, for one request: isolates read it now and then, and change it by compare and swap.
 * Where there is no durable tier, it lives as long as the isolate. No method rejects.
 */
export class OwnDocument<T> {
  readonly #kind: OwnDocumentKind<T>;
  readonly #known: KnownDocument<T>;
  readonly #effects: OwnDocumentEffects;

  constructor(kind: OwnDocumentKind<T>, known: KnownDocument<T>, effects: OwnDocumentEffects) {
    this.#kind = kind;
    this.#known = known;
    this.#effects = effects;
  }

  /**
   * The value as it was less than `maxAgeMs` ago. An older one where it cannot be read now; undefined
   * where it was never read.
   */
  async read(maxAgeMs: number): Promise<T | undefined> {
    const { clock, store } = this.#effects;
    const known = this.#known;
    if (store.durableLabel === undefined) return known.value ?? this.#kind.empty;
    const now = clock.now();
    if (now - known.asOf < maxAgeMs || now < known.retryAt) return known.value;
    if (!(await this.#load())) known.retryAt = clock.now() + RETRY_MS;
    return known.value;
  }

  /**
   * Replaces the value by what `change` makes of it, which may be called again for a newer one. It
   * returns undefined where there is nothing to change. Resolves with the value as it is then, or
   * undefined where it cannot be read or written.
   */
  async update(change: (value: T) => T | undefined): Promise<T | undefined> {
    const { clock, store } = this.#effects;
    for (let round = 0; round < MAX_SWAPS; round++) {
      if (round > 0) await clock.sleep(SWAP_PAUSE_MS);
      const asOf = clock.now();
      const loaded = await this.#load();
      if (!loaded) return undefined;
      const next = change(loaded.value);
      if (next === undefined) return loaded.value;
      const bytes = new TextEncoder().encode(`${JSON.stringify(next)}\n`);
      const file = { bytes, etag: etagOf(bytes) };
      if (!(await store.swap(ownKey(this.#kind.name), loaded.version, file))) continue;
      this.#known.writes += 1;
      this.#take(next, asOf);
      return next;
    }
    this.#report(`Cannot write it in ${MAX_SWAPS} attempts`);
    return undefined;
  }

  async #load(): Promise<{ readonly value: T; readonly version: string | undefined } | undefined> {
    const { clock, store } = this.#effects;
    if (store.durableLabel === undefined)
      return { value: this.#known.value ?? this.#kind.empty, version: undefined };
    const asOf = clock.now();
    const { writes } = this.#known;
    const stored = await store.readOwn(ownKey(this.#kind.name));
    if (!stored) return undefined;
    const { file } = stored;
    const parsed = file ? this.#parse(file.bytes) : success(this.#kind.empty);
    if (!parsed.ok) {
      this.#report(parsed.reason);
      return undefined;
    }
    // What was read beside a change of this isolate may lack it.
    if (writes === this.#known.writes && asOf >= this.#known.asOf) this.#take(parsed.value, asOf);
    return { value: parsed.value, version: file?.known };
  }

  #parse(bytes: Uint8Array): Result<T> {
    try {
      return this.#kind.parse(JSON.parse(new TextDecoder().decode(bytes)));
    } catch {
      return failed('It is no JSON');
    }
  }

  #take(value: T, asOf: number): void {
    this.#known.value = value;
    this.#known.asOf = asOf;
    this.#known.retryAt = -Infinity;
  }

  #report(problem: string): void {
    const error = `${ownKey(this.#kind.name)}: ${problem}. It stays as it is`;
    this.#effects.emit({ event: 'trouble', label: 'own document', error });
  }
}
