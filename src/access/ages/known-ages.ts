import type { Clock } from '../../effects/clock.ts';
import { SingleFlight } from '../../mirror/single-flight.ts';
import type { ModulePath } from '../../module/module-path.ts';
import type { Version } from '../../module/version.ts';
import {
  type KnownDocument,
  OwnDocument,
  type OwnDocumentEffects,
  unreadDocument,
} from '../../store/own-document.ts';
import type { Age } from '../policy/age.ts';
import {
  formatPlace,
  mergedPlace,
  parsePlace,
  type Place,
  type PlacesDocument,
  placesKind,
} from './place.ts';

/** How many modules an isolate remembers. One with a thousand versions takes some 100 KB. */
const MAX_MODULES = 128;

/** How many versions of a module are remembered whose look-up told nothing. */
const MAX_FAILURES = 1_000;

/** When a list looks a version up again whose look-up told nothing. */
const RETRY_MS = 10_000;

/** Why there is no place: the age that a look-up told instead. */
export type NoPlace = Extract<Age, { readonly kind: 'unknown' | 'uncovered' }>;

/** What an isolate knows of the ages of versions. */
export class KnownAges {
  /** The list of a module whose versions are looked up, by its path. */
  readonly flights: SingleFlight<true>;
  readonly #modules = new Map<ModulePath, KnownModule>();

  constructor(clock: Pick<Clock, 'steady'>) {
    this.flights = new SingleFlight(clock);
  }

  of(module: ModulePath): KnownModule {
    const known = this.#modules.get(module) ?? new KnownModule(module);
    this.#modules.delete(module);
    this.#modules.set(module, known);
    const [oldest] = this.#modules.keys();
    if (this.#modules.size > MAX_MODULES && oldest !== undefined) this.#modules.delete(oldest);
    return known;
  }
}

/** The places of one module's versions: in a document that isolates share, and not written yet. */
export class KnownModule {
  readonly #module: ModulePath;
  readonly #document: KnownDocument<PlacesDocument> = unreadDocument();
  readonly #parsed = new Map<Version, Place>();
  readonly #unwritten = new Map<Version, Place>();
  readonly #failed = new Map<Version, { readonly age: NoPlace; readonly at: number }>();

  constructor(module: ModulePath) {
    this.#module = module;
  }

  /** Reads what other isolates have written, unless it was read less than `maxAgeMs` ago. */
  async read(maxAgeMs: number, effects: OwnDocumentEffects): Promise<void> {
    const before = this.#document.value;
    await this.#open(effects).read(maxAgeMs);
    if (this.#document.value !== before) this.#parsed.clear();
  }

  /** The place of a version, as far as it is known. */
  place(version: Version): Place | undefined {
    const unwritten = this.#unwritten.get(version);
    const stored = this.#stored(version);
    return unwritten && stored ? mergedPlace(stored, unwritten) : (unwritten ?? stored);
  }

  #stored(version: Version): Place | undefined {
    const parsed = this.#parsed.get(version) ?? parsePlace(this.#document.value?.places[version]);
    if (parsed) this.#parsed.set(version, parsed);
    return parsed;
  }

  /** Remembers a place. `write` writes it. */
  keep(version: Version, place: Place): void {
    this.#unwritten.set(version, place);
    this.#failed.delete(version);
  }

  /** Remembers that a look-up has told no place. */
  keepFailure(version: Version, age: NoPlace, at: number): void {
    this.#failed.set(version, { age, at });
    const [oldest] = this.#failed.keys();
    if (this.#failed.size > MAX_FAILURES && oldest !== undefined) this.#failed.delete(oldest);
  }

  /** What the last look-up of a version told, where that was no place. */
  failure(version: Version): NoPlace | undefined {
    return this.#failed.get(version)?.age;
  }

  /** Whether a look-up told nothing a moment ago. */
  hasJustFailed(version: Version, now: number): boolean {
    return now - (this.#failed.get(version)?.at ?? -Infinity) < RETRY_MS;
  }

  /** Writes all that is not written, in one write. Never rejects. */
  async write(effects: OwnDocumentEffects): Promise<void> {
    if (this.#unwritten.size === 0) return;
    let written = new Map<Version, Place>();
    const document = await this.#open(effects).update(({ places, version }) => {
      written = new Map(this.#unwritten);
      const all = { ...places };
      for (const [name, place] of written) {
        const stored = parsePlace(all[name]);
        all[name] = formatPlace(stored ? mergedPlace(stored, place) : place);
      }
      return { version, places: all };
    });
    if (!document) return;
    this.#parsed.clear();
    for (const [version, place] of written)
      if (this.#unwritten.get(version) === place) this.#unwritten.delete(version);
  }

  #open(effects: OwnDocumentEffects): OwnDocument<PlacesDocument> {
    return new OwnDocument(placesKind(this.#module), this.#document, effects);
  }
}
