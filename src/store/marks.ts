/**
 * Marks: what makes older copies of a file worthless in every data centre.
 *
 * `cache.delete` reaches one data centre, and a copy in KV or in another edge cache lives on. So
 * whoever removes or replaces a file writes a mark, with its time, into one small document in the
 * durable tier. A copy that is not younger than the mark of its subject counts as missing.
 *
 *     isolate  --every 30 s-->  edge entry  --every 30 s-->  document in the durable tier
 *
 * An isolate reads the document behind an answer when what it knows is 30 s old. When that is 50 s
 * old, or nothing is known, the answer waits for it, beside its own look-up. So a mark counts
 * everywhere within a minute, and costs a client no time where there is traffic. A mark is kept for
 * a day longer than any copy lives.
 *
 * The document has takedowns too (takedowns.ts), which no limit of the marks concerns.
 */
import * as v from 'valibot';
import { failed, type Result, success } from '../effects/result.ts';
import { MAX_COPY_SECONDS } from './copy-life.ts';
import { markSubject, type StoreKey } from './key.ts';
import { KnownTakedowns, type Takedowns, TakedownsSchema } from './takedowns.ts';

/** How long a data centre keeps the document, in seconds; then isolates read it again. */
export const MARKS_SECONDS = 30;

/** How old the known marks may be when an answer does not wait for newer ones. */
const MAX_KNOWN_MS = 50_000;

/** When the document is read again after it could not be. */
const RETRY_MS = 30_000;

const MAX_MARK_AGE_MS = (MAX_COPY_SECONDS + 86_400) * 1000;

/** The marks that the document holds at most. The oldest ones then become one for all files. */
const MAX_MARKS = 2_000;

/** The subject of a mark for all files. No module path is `*`. */
const EVERYTHING = '*';

/** How far apart the clocks of two data centres may be. */
const CLOCK_SKEW_MS = 2_000;

const VERSION = 1;

/** Unknown fields are kept: a document is never written back with less than it had. */
const Schema = v.looseObject({
  version: v.literal(VERSION),
  /** The time of each mark in milliseconds since the epoch, by its subject. */
  marks: v.record(v.string(), v.pipe(v.number(), v.finite())),
  takedowns: v.optional(TakedownsSchema),
});

export interface MarksDocument {
  readonly version: typeof VERSION;
  readonly marks: Readonly<Record<string, number>>;
  readonly takedowns?: Takedowns | undefined;
}

export const NO_MARKS: MarksDocument = { version: VERSION, marks: {} };

/** Parses the document, or says why it cannot be read. */
export function parseMarks(bytes: Uint8Array): Result<MarksDocument> {
  const parsed = v.safeParse(Schema, parseJSON(bytes));
  return parsed.success
    ? success(parsed.output)
    : failed('The document of marks is damaged, or from a newer release of modferry');
}

function parseJSON(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}

export function formatMarks(document: MarksDocument): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(document)}\n`);
}

/** The document with one more mark. Marks that no copy can be older than are left out. */
export function withMark(document: MarksDocument, subject: string, at: number): MarksDocument {
  const marks = { ...document.marks, [subject]: Math.max(document.marks[subject] ?? 0, at) };
  const kept = Object.entries(marks)
    .filter(([, time]) => at - time <= MAX_MARK_AGE_MS)
    .toSorted(([, a], [, b]) => b - a);
  const [newestDropped] = kept.splice(MAX_MARKS - 1);
  if (newestDropped) kept.push([EVERYTHING, newestDropped[1]]);
  return { ...document, marks: Object.fromEntries(kept) };
}

/** The marks that an isolate knows. */
export class KnownMarks {
  readonly takedowns = new KnownTakedowns();
  #times: ReadonlyMap<string, number> = new Map();
  /** The marks of this isolate that no document was seen with yet. */
  readonly #own = new Map<string, number>();
  /** When the known marks were those of the durable tier, in milliseconds since the epoch. */
  #asOf = -Infinity;
  #retryAt = -Infinity;
  /** Whether a document that cannot be parsed was reported. */
  isReported = false;

  /** How well the marks are known at `now`, in milliseconds since the epoch. */
  stateAt(now: number): 'new' | 'aging' | 'old' {
    if (now < this.#retryAt) return 'new';
    const ageMs = now - this.#asOf;
    if (ageMs < MARKS_SECONDS * 1000) return 'new';
    return ageMs < MAX_KNOWN_MS ? 'aging' : 'old';
  }

  /** Takes the document that the durable tier had at `asOf`, unless a newer one is known. */
  take({ marks, takedowns }: MarksDocument, asOf: number): void {
    if (asOf < this.#asOf) return;
    this.takedowns.take(takedowns);
    this.#asOf = asOf;
    this.#retryAt = -Infinity;
    this.#times = new Map(Object.entries(marks));
    for (const [subject, at] of this.#own) {
      if ((marks[subject] ?? 0) >= at) this.#own.delete(subject);
    }
  }

  /** Notes that the document cannot be read. The known marks stay. */
  keepAfterFailure(now: number): void {
    this.#retryAt = now + RETRY_MS;
  }

  /** Takes marks of this isolate. They count here at once, and until a document has them. */
  add(subjects: readonly string[], at: number): void {
    for (const subject of subjects) this.#own.set(subject, at);
  }

  /** The marks of this isolate that are to be written, with their times. */
  get unwritten(): readonly (readonly [subject: string, at: number])[] {
    return [...this.#own];
  }

  /** Whether a copy that was right at `asOf`, in milliseconds since the epoch, is worthless. */
  isOutdated(key: StoreKey, asOf: number): boolean {
    const times = [markSubject(key), EVERYTHING].flatMap((subject) => [
      this.#times.get(subject) ?? 0,
      this.#own.get(subject) ?? 0,
    ]);
    const at = Math.max(...times);
    return at > 0 && asOf <= at + CLOCK_SKEW_MS;
  }
}
