/**
 * Takedowns: versions that an origin has refused for every other origin too, and for stored copies
 * (origins/race/final-refusal.ts). They are kept in the document of marks, which every isolate reads
 * anyway.
 */
import * as v from 'valibot';
import { type ModulePath, parseModulePath } from '../module/module-path.ts';
import { parseVersion, type Version } from '../module/version.ts';

/** A version that was taken down. Times are in milliseconds since the epoch. */
export interface Takedown {
  readonly module: ModulePath;
  readonly version: Version;
  /** The file that was refused. */
  readonly file: 'info' | 'mod' | 'zip';
  /** Name of the origin. */
  readonly origin: string;
  /** One line of the origin's own words; empty where it gave none. */
  readonly words: string;
  readonly since: number;
  /** When the origin was asked for the file last. */
  readonly askedAt: number;
  /**
   * When an admin lifted it. It stays lifted until the origin has given the file: a 403 after that
   * is a new takedown.
   */
  readonly liftedAt?: number | undefined;
  /** When the origin gave the file again. */
  readonly endedAt?: number | undefined;
}

/** How long an ended takedown is kept: by then every isolate has seen that it has ended. */
const KEPT_MS = 86_400_000;

/**
 * The takedowns that are kept at most, of some 300 bytes each. Those that were not asked about for
 * longest give way to others: the next request for such a file, or the cron, finds them out again.
 */
const MAX_TAKEDOWNS = 1_000;

const Time = v.pipe(v.number(), v.finite());

const TakedownSchema = v.looseObject({
  module: v.custom<ModulePath>((text) => isString(text) && parseModulePath(text) !== undefined),
  version: v.custom<Version>((text) => isString(text) && parseVersion(text) !== undefined),
  file: v.picklist(['info', 'mod', 'zip']),
  origin: v.string(),
  words: v.string(),
  since: Time,
  askedAt: Time,
  liftedAt: v.optional(Time),
  endedAt: v.optional(Time),
});

/** Takedowns by `<module>@<version>`. */
export const TakedownsSchema = v.record(v.string(), TakedownSchema);

export type Takedowns = Readonly<Record<string, Takedown>>;

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

/** What a takedown is about. */
export function versionOf({ module, version }: Pick<Takedown, 'module' | 'version'>): string {
  return `${module}@${version}`;
}

/** Whether the version is refused. */
export function isInForce({ endedAt, liftedAt }: Takedown): boolean {
  return endedAt === undefined && liftedAt === undefined;
}

/** Whether an admin has lifted it, and the origin still refuses the version. */
export function isLifted({ endedAt, liftedAt }: Takedown): boolean {
  return endedAt === undefined && liftedAt !== undefined;
}

/** The takedowns with one more, or with what is new about one. Old ones are left out. */
export function withTakedown(takedowns: Takedowns, takedown: Takedown): Takedowns {
  const name = versionOf(takedown);
  const all = { ...takedowns, [name]: merged(takedowns[name], takedown) };
  const now = Math.max(...timesOf(takedown).map((time) => time ?? 0));
  const kept = Object.entries(all)
    .filter(([, { endedAt }]) => endedAt === undefined || now - endedAt <= KEPT_MS)
    .toSorted(([, a], [, b]) => b.askedAt - a.askedAt)
    .slice(0, MAX_TAKEDOWNS);
  return Object.fromEntries(kept);
}

/**
 * What two isolates know of one version. They may have found it out both, within the minute in which
 * neither knew of the other: then it is one takedown, since the first of them, and lifting that one
 * lifts both. After the end of one there may be another.
 */
function merged(a: Takedown | undefined, b: Takedown): Takedown {
  if (!a) return b;
  const [first, second] = a.since <= b.since ? [a, b] : [b, a];
  if (first.endedAt !== undefined && first.endedAt < second.since) return second;
  return {
    ...first,
    askedAt: Math.max(first.askedAt, second.askedAt),
    liftedAt: first.liftedAt ?? second.liftedAt,
    endedAt: first.endedAt ?? second.endedAt,
  };
}

function timesOf({ askedAt, endedAt, liftedAt, since }: Takedown): readonly (number | undefined)[] {
  return [since, askedAt, liftedAt, endedAt];
}

/** The takedowns that an isolate knows. */
export class KnownTakedowns {
  #stored: Takedowns = {};
  /** What this isolate has learned and no document was seen with yet. */
  #own: Takedowns = {};

  /** Takes those of the document. */
  take(stored: Takedowns = {}): void {
    this.#stored = stored;
    const unseen = Object.entries(this.#own).filter(([name, own]) => !hasSeen(stored[name], own));
    this.#own = Object.fromEntries(unseen);
  }

  /** Takes what this isolate has learned. It counts here at once. */
  learn(takedown: Takedown): void {
    this.#own = withTakedown(this.#own, merged(this.get(takedown), takedown));
  }

  /** What is known of a version. */
  get(version: Pick<Takedown, 'module' | 'version'>): Takedown | undefined {
    const name = versionOf(version);
    const own = this.#own[name];
    return own ? merged(this.#stored[name], own) : this.#stored[name];
  }

  /** Every known takedown, also those that are lifted or have ended. */
  get all(): readonly Takedown[] {
    return Object.values(this.unwritten.reduce(withTakedown, this.#stored));
  }

  /** What is to be written. */
  get unwritten(): readonly Takedown[] {
    return Object.values(this.#own);
  }
}

function hasSeen(stored: Takedown | undefined, own: Takedown): boolean {
  const times = timesOf(merged(stored, own));
  return stored !== undefined && timesOf(stored).every((time, at) => time === times[at]);
}
