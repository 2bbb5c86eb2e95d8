import { type Clock, within } from './clock.ts';
import type { Emit, TroubleEvent } from './emit.ts';
import type { SharedStates } from './shared-state.ts';

/** A reader waits no longer: a status page must not hang because its store does. */
const READ_LIMIT_MS = 2_000;

const WRITE_LIMIT_MS = 5_000;

/** Everybody may read a status page, and each read of KV counts: one read serves all this time. */
const REMEMBERED_MS = 30_000;

/** What is reported of a document with a greater `version`. It stays as it is. */
export const NEWER_RELEASE = 'A newer release of modferry has written it';

export const DAMAGED = 'Cannot read it: it is damaged';

export interface DocumentKind<T> {
  /** The name of the shared text. */
  readonly name: string;
  /** The version that `encode` writes. */
  readonly version: number;
  /** The label of its trouble events. */
  readonly label: string;
  readonly keptSeconds: number;
  /** What there is where nothing was written. */
  readonly empty: T;
  readonly encode: (value: T) => string;
  /** Undefined when the text is damaged, or of another version of modferry. */
  readonly decode: (text: string) => T | undefined;
}

export interface DocumentEffects {
  readonly states: SharedStates;
  readonly clock: Clock;
  /** Receives a place that fails, and a text that cannot be read. */
  readonly emit: Emit<TroubleEvent>;
}

/**
 * A value in a place that all isolates read: KV, or the cache of the data centre where there is no
 * KV.
 */
export class SharedDocument<T> {
  readonly #kind: DocumentKind<T>;
  readonly #effects: DocumentEffects;
  /** Whether a newer release has written the text, which stays as it is then. */
  #isNewer = false;
  /** The last text that was reported: each is reported once. */
  #reported: string | undefined;
  #remembered: { readonly value: T; readonly until: number } | undefined;

  constructor(kind: DocumentKind<T>, effects: DocumentEffects) {
    this.#kind = kind;
    this.#effects = effects;
  }

  /** The value of the last half minute; the empty one where it cannot be read. Never rejects. */
  async read(): Promise<T> {
    const now = this.#effects.clock.now();
    if (this.#remembered && now < this.#remembered.until) return this.#remembered.value;
    try {
      const value = await this.#load();
      this.#remembered = { value, until: now + REMEMBERED_MS };
      return value;
    } catch (error) {
      this.#report(error);
      return this.#kind.empty;
    }
  }

  /** The value as it is now; the empty one where it cannot be read. Never rejects. */
  readNow(): Promise<T> {
    this.#remembered = undefined;
    return this.read();
  }

  /**
   * Replaces the value by what `change` makes of it. Never rejects. When it cannot be read just now,
   * or another release has written it, nothing is written: writing would delete what is there.
   */
  async update(change: (value: T) => T): Promise<void> {
    const { encode, keptSeconds, name } = this.#kind;
    try {
      const value = change(await this.#load());
      if (this.#isNewer) return;
      const written = this.#place.write(name, encode(value), keptSeconds);
      await within(this.#effects.clock, WRITE_LIMIT_MS, written);
      this.#remembered = { value, until: this.#effects.clock.now() + REMEMBERED_MS };
    } catch (error) {
      this.#report(error);
    }
  }

  get #place() {
    const { dataCentre, world } = this.#effects.states;
    return world ?? dataCentre;
  }

  async #load(): Promise<T> {
    const { decode, empty, name, version } = this.#kind;
    const text = await within(this.#effects.clock, READ_LIMIT_MS, this.#place.read(name));
    this.#isNewer = text !== undefined && versionOf(text) > version;
    if (text === undefined) return empty;
    const value = decode(text);
    const isUnreadable = this.#isNewer || value === undefined;
    if (isUnreadable && text !== this.#reported) {
      this.#reported = text;
      this.#report(this.#isNewer ? NEWER_RELEASE : DAMAGED);
    }
    return value ?? empty;
  }

  #report(error: unknown): void {
    this.#effects.emit({ event: 'trouble', label: this.#kind.label, error });
  }
}

/** The `version` of a document in JSON; 0 where it has none. */
export function versionOf(text: string): number {
  try {
    const document: unknown = JSON.parse(text);
    const isObject = typeof document === 'object' && document !== null;
    const version: unknown = isObject ? Reflect.get(document, 'version') : undefined;
    return typeof version === 'number' ? version : 0;
  } catch {
    return 0;
  }
}
