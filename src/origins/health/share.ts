import type { Background } from '../../effects/background.ts';
import { type Clock, within } from '../../effects/clock.ts';
import type { SharedState, SharedStates } from '../../effects/shared-state.ts';
import type { Pool } from './pool.ts';
import { decodeHealth, encodeHealth, type Known } from './shared-health.ts';

/**
 * Isolates tell each other what they know of the origins, so that a fresh one need not learn an
 * outage again.
 *
 * Each place, the data centre's cache and KV, holds one text. It is read first and merged, of each
 * breaker what was seen last, and then written: so nobody's newer knowledge is lost, but for that
 * of two who write at the same moment, which comes with the next text. It all happens beside the
 * requests, and when a place fails, every isolate knows what it saw itself.
 *
 * The isolate's requests share numbers and nothing else: in workerd no request may wait for a
 * promise of another, and the work beside a request may be ended with it at any time.
 */
export interface SharingEffects {
  readonly pool: Pool;
  /** Addresses of all origins that are asked. */
  readonly urls: readonly string[];
  readonly states: SharedStates;
  readonly clock: Clock;
  /** Told of a place that fails, and of a text that cannot be read. */
  readonly report: (label: string, error: unknown) => void;
}

const NAME = 'health';

/** When a place is read and written; times in milliseconds. */
interface Habit {
  readonly label: string;
  readonly readEvery: number;
  /** After a change of a breaker, or of a warning. */
  readonly writeChangesEvery: number;
  /** After anything else that was seen. */
  readonly writeNewsEvery: number;
  /** Seconds for which a text is believed. */
  readonly seconds: number;
  /** Whether only the news that an origin is out, or no longer, is worth a write. */
  readonly onlyOutages: boolean;
}

const DATA_CENTRE: Habit = {
  label: 'health in the data centre',
  readEvery: 10_000,
  writeChangesEvery: 1_000,
  writeNewsEvery: 30_000,
  seconds: 600,
  onlyOutages: false,
};

/**
 * The free plan of KV has 1,000 writes a day for everything. Of a hundred isolates that see an
 * outage, the first tells it.
 */
const WORLD: Habit = {
  label: 'health in KV',
  readEvery: 60_000,
  writeChangesEvery: 60_000,
  writeNewsEvery: Infinity,
  seconds: 3_600,
  onlyOutages: true,
};

/** Milliseconds that a place may take: one that hangs is one that has nothing. */
const PLACE_LIMIT = 5_000;

/**
 * Milliseconds that a place is left alone after it failed: a quota that is used up stays so for a
 * while.
 */
const REST = 60_000;

/**
 * Milliseconds after which an exchange is dead: the platform ends work that outlives its request by
 * 30 s.
 */
const EXCHANGE_LIMIT = 30_000;

/** Keeps one isolate's pool and the shared places up to date with each other. */
export class HealthSharing {
  readonly #places: readonly Place[];
  readonly #clock: Clock;
  /** Until when an exchange is taken to be under way. */
  #busyUntil = 0;

  constructor(effects: SharingEffects) {
    const { dataCentre, world } = effects.states;
    this.#clock = effects.clock;
    this.#places = [
      new Place(dataCentre, DATA_CENTRE, effects),
      ...(world ? [new Place(world, WORLD, effects)] : []),
    ];
  }

  /**
   * To be called with every request: reads and writes beside it what is due, which mostly is
   * nothing.
   */
  touch(background: Background): void {
    const now = this.#clock.now();
    if (now < this.#busyUntil || !this.#places.some((place) => place.isDue(now))) return;
    const until = now + EXCHANGE_LIMIT;
    this.#busyUntil = until;
    background('share health', this.#exchange(now, until));
  }

  /** Reads all places now. Never rejects. */
  async learn(): Promise<void> {
    for (const place of this.#places) await place.exchange('read');
  }

  /** Tells all places now what is worth telling. Never rejects. */
  async publish(): Promise<void> {
    for (const place of this.#places) await place.exchange('write');
  }

  /** One place after the other: a request has six connections, and its own work comes first. */
  async #exchange(now: number, until: number): Promise<void> {
    for (const place of this.#places) if (place.isDue(now)) await place.exchange();
    if (this.#busyUntil === until) this.#busyUntil = 0;
  }
}

const NOTHING: Known = new Map();

class Place {
  readonly #state: SharedState;
  readonly #habit: Habit;
  readonly #effects: SharingEffects;
  /** When it was read and written last, in milliseconds since the epoch; 0 for never. */
  #readAt = 0;
  #writtenAt = 0;
  /** Until when it is left alone, because it failed. */
  #restUntil = 0;
  /** How many of the pool's changes it knows. */
  #changes = 0;
  /** When the last thing that it knows was seen, in milliseconds since the epoch. */
  #knownUpTo = 0;
  /** Which origins it says are out. */
  #outages: string;

  constructor(state: SharedState, habit: Habit, effects: SharingEffects) {
    this.#state = state;
    this.#habit = habit;
    this.#effects = effects;
    this.#outages = outages(NOTHING, effects.urls);
  }

  isDue(now: number): boolean {
    if (now < this.#restUntil) return false;
    return now - this.#readAt >= this.#habit.readEvery || this.#isWriteDue(now);
  }

  #isWriteDue(now: number): boolean {
    const { writeChangesEvery, writeNewsEvery } = this.#habit;
    const { pool } = this.#effects;
    const since = now - this.#writtenAt;
    if (pool.changes !== this.#changes && this.#isNews(pool.snapshot()))
      return since >= writeChangesEvery;
    return since >= writeNewsEvery && lastSeen(pool.snapshot()) > this.#knownUpTo;
  }

  /** Whether changes of breakers and warnings are to be told there. */
  #isNews(ours: Known): boolean {
    return !this.#habit.onlyOutages || outages(ours, this.#effects.urls) !== this.#outages;
  }

  /**
   * Takes over what is new there, and writes what is new here when that is due or asked for. Never
   * rejects.
   */
  async exchange(wish?: 'read' | 'write'): Promise<void> {
    const { clock, pool, report, urls } = this.#effects;
    const { label, seconds } = this.#habit;
    const now = clock.now();
    const writes = wish === 'write' || (wish === undefined && this.#isWriteDue(now));
    this.#readAt = now;
    try {
      const theirs = await this.#read(now);
      pool.merge(theirs);
      this.#knownUpTo = Math.max(this.#knownUpTo, lastSeen(theirs));
      this.#outages = outages(theirs, urls);
      if (!writes) return;

      const { changes } = pool;
      const ours = pool.snapshot();
      if (this.#isNews(ours)) {
        const ends = [lastSeen(ours), outages(ours, urls)] as const;
        this.#writtenAt = now;
        await within(
          clock,
          PLACE_LIMIT,
          this.#state.write(NAME, encodeHealth(ours, urls), seconds),
        );
        [this.#knownUpTo, this.#outages] = ends;
      }
      this.#changes = changes;
    } catch (error) {
      this.#restUntil = now + REST;
      report(label, error);
    }
  }

  /** What is known there; nothing where the text is none that could be read. */
  async #read(now: number): Promise<Known> {
    const { clock, report, urls } = this.#effects;
    const text = await within(clock, PLACE_LIMIT, this.#state.read(NAME));
    if (text === undefined) return NOTHING;
    const known = decodeHealth(text, { urls, now });
    // The text itself is not shown: it may be anything.
    if (!known)
      report(
        this.#habit.label,
        'Cannot read what is shared there: it is damaged or of another version',
      );
    return known ?? NOTHING;
  }
}

/** When the last thing was seen, in milliseconds since the epoch. */
function lastSeen(known: Known): number {
  let last = 0;
  for (const { bulk, reach } of known.values()) last = Math.max(last, bulk.at, reach.at);
  return last;
}

/** Which origins are out: the same text for the same ones. */
function outages(known: Known, urls: readonly string[]): string {
  return urls
    .map((url) => {
      const health = known.get(url);
      return [health?.reach, health?.bulk].map((breaker) => (breaker?.until ?? 0) > 0).join(' ');
    })
    .join();
}
