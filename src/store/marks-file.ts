import type { Background } from '../effects/background.ts';
import { type Clock, within } from '../effects/clock.ts';
import type { Emit, TroubleEvent } from '../effects/emit.ts';
import { etagOf } from './etag.ts';
import type { Guard } from './guard.ts';
import { ownKey } from './key.ts';
import {
  formatMarks,
  type KnownMarks,
  MARKS_SECONDS,
  type MarksDocument,
  NO_MARKS,
  parseMarks,
  withMark,
} from './marks.ts';
import { type Takedown, type Takedowns, versionOf, withTakedown } from './takedowns.ts';
import type { Tiers } from './tiers.ts';

export interface MarksEffects {
  readonly guard: Guard;
  readonly clock: Clock;
  readonly emit: Emit<TroubleEvent>;
  readonly background: Background;
  /** What the isolate knows. */
  readonly known: KnownMarks;
}

const KEY = ownKey('marks.json');

/** A look-up waits no longer for the marks beside it. What was known before counts then. */
const READ_LIMIT_MS = 1_000;

/** How often a mark is written again, when another isolate was faster or the store refused it. */
const MAX_SWAPS = 5;

/** R2 accepts one write per second for a key. */
const SWAP_PAUSE_MS = 1_000;

/** The document of marks, for one request. No method rejects. */
export class MarksFile {
  readonly #tiers: Pick<Tiers, 'near' | 'durable'>;
  readonly #effects: MarksEffects;
  #refreshed: Promise<void> | undefined;

  constructor(tiers: Pick<Tiers, 'near' | 'durable'>, effects: MarksEffects) {
    this.#tiers = tiers;
    this.#effects = effects;
  }

  /**
   * Resolves when the known marks are new enough for an answer: after a second at most, and at once
   * where it is early enough to read them behind the answer.
   */
  async refresh(): Promise<void> {
    const { background, clock, known } = this.#effects;
    const state = this.#tiers.durable ? known.stateAt(clock.now()) : 'new';
    if (state === 'new') return;
    this.#refreshed ??= this.#refresh();
    if (state === 'old') await this.#refreshed;
    else background('marks', this.#refreshed);
  }

  /** What is known of a version that was taken down. */
  takedown(version: Pick<Takedown, 'module' | 'version'>): Takedown | undefined {
    return this.#effects.known.takedowns.get(version);
  }

  /**
   * Every takedown, also those that are lifted or have ended, as the durable tier has them now;
   * undefined when it cannot be read.
   */
  async takedowns(): Promise<readonly Takedown[] | undefined> {
    const { durable } = this.#tiers;
    if (durable && !(await this.#readDurable().catch(() => false))) return undefined;
    return this.#effects.known.takedowns.all;
  }

  /** Notes what is new about a takedown, for this isolate. It is written with the next one. */
  learn(takedown: Takedown): void {
    this.#effects.known.takedowns.learn(takedown);
  }

  /** Writes what is new about a takedown. False when it cannot be written yet. */
  async write(takedown: Takedown): Promise<boolean> {
    this.learn(takedown);
    const name = versionOf(takedown);
    return this.#write(`Cannot write the takedown of ${name} yet: other data centres may serve it`);
  }

  async #refresh(): Promise<void> {
    const { clock, emit, known } = this.#effects;
    try {
      // A document that comes later counts for the next request.
      const isRead = await within(clock, READ_LIMIT_MS, this.#read());
      if (!isRead) known.keepAfterFailure(clock.now());
    } catch (error) {
      known.keepAfterFailure(clock.now());
      emit({ event: 'trouble', label: 'marks', error });
    }
  }

  /** Takes the document; false when it cannot be read. */
  async #read(): Promise<boolean> {
    const { guard } = this.#effects;
    const copy = await guard.read(this.#tiers.near, (store) => store.read(KEY));
    if (copy?.kind === 'file') return this.#take(await guard.bytes(copy.file), copy.asOf);
    return this.#readDurable();
  }

  async #readDurable(): Promise<boolean> {
    const { clock, guard } = this.#effects;
    const { durable } = this.#tiers;
    const asOf = clock.now();
    const stored = await guard.read(durable, async (store) => ({ file: await store.read(KEY) }));
    if (!stored) return false;
    const bytes = stored.file ? await guard.bytes(stored.file) : formatMarks(NO_MARKS);
    this.#keepNear(bytes, asOf);
    return this.#take(bytes, asOf);
  }

  #take(bytes: Uint8Array, asOf: number): boolean {
    const document = this.#parse(bytes);
    if (document) this.#effects.known.take(document, asOf);
    return document !== undefined;
  }

  #parse(bytes: Uint8Array): MarksDocument | undefined {
    const parsed = parseMarks(bytes);
    if (parsed.ok) return parsed.value;
    this.#report(parsed.reason);
    return undefined;
  }

  /** Once for an isolate: the document is read twice a minute. */
  #report(problem: string): void {
    const { emit, known } = this.#effects;
    if (known.isReported) return;
    known.isReported = true;
    const error = `${problem}. No mark is read or written while ${KEY} is in the bucket as it is`;
    emit({ event: 'trouble', label: 'marks', error });
  }

  #keepNear(bytes: Uint8Array, asOf: number): void {
    const { guard } = this.#effects;
    const life = { asOf, seconds: MARKS_SECONDS };
    const file = { bytes, etag: etagOf(bytes) };
    void guard.write(this.#tiers.near, (store) => store.write(KEY, file, life));
  }

  /** Makes every copy of these subjects worthless that is made up to now. */
  async add(subjects: readonly string[]): Promise<void> {
    const { clock, known } = this.#effects;
    known.add(subjects, clock.now());
    await this.#write(
      `Cannot write a mark for ${subjects.join(', ')} yet: until the next mark is written, other data centres may serve older copies`,
    );
  }

  /** Writes what no document has yet. False when that is not possible now, which `error` words. */
  async #write(error: string): Promise<boolean> {
    const { clock, emit, known } = this.#effects;
    if (!this.#tiers.durable) return true;
    for (let round = 0; round < MAX_SWAPS; round++) {
      // One write has the marks of all requests that wait here.
      if (round > 0) await clock.sleep(SWAP_PAUSE_MS);
      const isWritten = known.unwritten.length === 0 && known.takedowns.unwritten.length === 0;
      if (isWritten || (await this.#swap())) return true;
    }
    emit({ event: 'trouble', label: 'marks', error });
    return false;
  }

  /** Writes the marks that no document has yet. Whether they are written. */
  async #swap(): Promise<boolean> {
    const { clock, guard, known } = this.#effects;
    const { durable } = this.#tiers;
    const asOf = clock.now();
    const stored = await guard.read(durable, async (store) => ({
      file: await store.readForSwap(KEY),
    }));
    if (!stored) return false;
    const { file } = stored;
    const document = file ? this.#parse(file.bytes) : NO_MARKS;
    if (!document) return false;
    const marked = known.unwritten.reduce(
      (all, [subject, at]) => withMark(all, subject, at),
      document,
    );
    const { unwritten } = known.takedowns;
    const takedowns = unwritten.reduce<Takedowns>(withTakedown, document.takedowns ?? {});
    const next = unwritten.length > 0 ? { ...marked, takedowns } : marked;
    const bytes = formatMarks(next);
    const isWritten = await guard.attempt(durable, (store) =>
      store.swap(KEY, file?.known, { bytes, etag: etagOf(bytes) }),
    );
    if (!isWritten) return false;
    known.take(next, asOf);
    this.#keepNear(bytes, asOf);
    return true;
  }
}
