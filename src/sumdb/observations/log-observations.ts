import type { Background } from '../../effects/background.ts';
import type { Clock } from '../../effects/clock.ts';
import { OwnDocument, type OwnDocumentEffects, unreadDocument } from '../../store/own-document.ts';
import { documentOf, type LogDocument, logDocumentKind, observationsOf } from './document.ts';
import { merged, type Observations, thinned } from './observations.ts';

/** What a request writes observations with. */
export interface ObservationEffects extends OwnDocumentEffects {
  readonly background: Background;
  readonly clock: Clock;
}

/**
 * How long an isolate waits from one write to the next: not long at first, so that what it saw
 * survives a restart, and then longer, as the platform charges for each write.
 */
const FIRST_PAUSE_MS = 2_000;
const MAX_PAUSE_MS = 60_000;

/** The platform ends what a request does behind its answer after 30 s. */
const MAX_WAIT_MS = 20_000;

/** Observations that were not written are thinned beyond so many. */
const MAX_UNWRITTEN = 128;

/**
 * The observations of one database's log, as one isolate knows them. They are in a document that all
 * isolates share (`.modferry/log/<database>.json`), and each adds its own to it.
 */
export class LogObservations {
  readonly #kind;
  readonly #known = unreadDocument<LogDocument>();
  #unwritten: Observations = [];
  #largest = 0;
  #nextWriteAt = -Infinity;
  #plannedFor: number | undefined;
  #pauseMs = FIRST_PAUSE_MS;

  constructor(database: string) {
    this.#kind = logDocumentKind(database);
  }

  /** Takes into account that a tree of this size is proven now. It is written behind the answer. */
  note(size: number, effects: ObservationEffects): void {
    const { clock } = effects;
    if (size <= this.#largest) return;
    this.#largest = size;
    const now = clock.now();
    this.#unwritten = merged(this.#unwritten, [{ size, at: now }]);
    if (this.#unwritten.length > MAX_UNWRITTEN) this.#unwritten = thinned(this.#unwritten, now);
    this.#planWrite(effects);
  }

  /**
   * All observations, those of other isolates as they were less than `maxAgeMs` ago. Undefined where
   * they were never read and cannot be: nothing may count as old then. Never rejects.
   */
  async read(maxAgeMs: number, effects: OwnDocumentEffects): Promise<Observations | undefined> {
    const known = await this.#document(effects).read(maxAgeMs);
    return known && merged(observationsOf(known), this.#unwritten);
  }

  /**
   * Writes what was observed and is not written yet, without the usual pause. Resolves when that was
   * tried.
   */
  async save(effects: ObservationEffects): Promise<void> {
    if (this.#unwritten.length > 0) await this.#write(effects);
  }

  #document(effects: OwnDocumentEffects): OwnDocument<LogDocument> {
    return new OwnDocument(this.#kind, this.#known, effects);
  }

  /** Writes at once, or when it is this isolate's turn again. */
  #planWrite(effects: ObservationEffects): void {
    const { background, clock } = effects;
    const at = this.#nextWriteAt;
    const waitMs = Math.max(at - clock.steady(), 0);
    if (waitMs === 0) background('write observations', this.#write(effects));
    else if (waitMs <= MAX_WAIT_MS && this.#plannedFor !== at) {
      this.#plannedFor = at;
      const write = async () => {
        await clock.sleep(waitMs);
        if (this.#nextWriteAt === at) await this.#write(effects);
      };
      background('write observations', write());
    }
  }

  async #write(effects: ObservationEffects): Promise<void> {
    const { clock } = effects;
    this.#nextWriteAt = clock.steady() + this.#pauseMs;
    this.#pauseMs = Math.min(this.#pauseMs * 2, MAX_PAUSE_MS);
    let written: Observations = [];
    const document = await this.#document(effects).update((stored) => {
      written = this.#unwritten;
      const before = observationsOf(stored);
      const after = merged(before, written);
      const isNews = written.some((one) => after.includes(one));
      return isNews ? documentOf(thinned(after, clock.now())) : undefined;
    });
    if (document) this.#unwritten = this.#unwritten.filter((one) => !written.includes(one));
  }
}
