import { type Clock, within } from './clock.ts';
import type { Emit, TroubleEvent } from './emit.ts';
import type { SharedStates } from './shared-state.ts';

/** A reader waits no longer: a status page must not hang because its store does. */
const READ_LIMIT_MS = 2_000;

const WRITE_LIMIT_MS = 5_000;

/** Everybody may read a status page, and each read of KV counts: one read serves all this time. */
const REMEMBERED_MS = 30_000;

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
  readonly #reader: DocumentReader;
  /** Whether a newer release has written the text, which stays as it is then. */
  #isNewer = false;
  #remembered: { readonly value: T; readonly until: number } | undefined;

  constructor(kind: DocumentKind<T>, effects: DocumentEffects) {
    this.#kind = kind;
    this.#effects = effects;
    this.#reader = new DocumentReader(kind.version, (why) => this.#report(why));
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
    const { decode, empty, name } = this.#kind;
    const text = await within(this.#effects.clock, READ_LIMIT_MS, this.#place.read(name));
    const read = text === undefined ? { value: empty } : this.#reader.read(text, decode);
    this.#isNewer = read === 'newer';
    return typeof read === 'object' ? read.value : empty;
  }

  #report(error: unknown): void {
    this.#effects.emit({ event: 'trouble', label: this.#kind.label, error });
  }
}

/** What a text holds, or why it cannot be read: a newer release has written it, or it is damaged. */
export type ReadDocument<T> = { readonly value: T } | 'newer' | 'damaged';

/** Reads documents of one kind, and reports each text that cannot be read once. */
export class DocumentReader {
  readonly #version: number;
  readonly #report: (why: string) => void;
  /** The last text that was reported. */
  #reported: string | undefined;

  /** `version` is that of this release. */
  constructor(version: number, report: (why: string) => void) {
    this.#version = version;
    this.#report = report;
  }

  read<T>(text: string, decode: (text: string) => T | undefined): ReadDocument<T> {
    const isNewer = versionOf(text) > this.#version;
    const value = isNewer ? undefined : decode(text);
    if (value !== undefined) return { value };
    if (text !== this.#reported) {
      this.#reported = text;
      // The text itself is not shown: it may be anything.
      this.#report(
        isNewer ? 'A newer release of modferry has written it' : 'Cannot read it: it is damaged',
      );
    }
    return isNewer ? 'newer' : 'damaged';
  }
}

/** The `version` of a document in JSON; 0 where it has none. */
function versionOf(text: string): number {
  try {
    const document: unknown = JSON.parse(text);
    const isObject = typeof document === 'object' && document !== null;
    const version: unknown = isObject ? Reflect.get(document, 'version') : undefined;
    return typeof version === 'number' ? version : 0;
  } catch {
    return 0;
  }
}
