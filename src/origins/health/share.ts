import type { Background } from '../../effects/background.ts';
import { type Clock, within } from '../../effects/clock.ts';
import { type CallKind, type Connections, LimitError } from '../../effects/connections.ts';
import type { Emit, TroubleEvent } from '../../effects/emit.ts';
import { DocumentReader, type ReadDocument } from '../../effects/shared-document.ts';
import type { SharedState, SharedStates } from '../../effects/shared-state.ts';
import type { HealthRegistry } from './registry.ts';
import { decodeHealth, encodeHealth, HEALTH_VERSION, type HealthByUrl } from './shared-health.ts';

/**
 * Isolates share the health of the origins, so that a fresh one does not wait for an origin that is
 * down.
 *
 * Each place, the data centre's cache and KV, holds one text. A place is read first and merged, of
 * each breaker what was seen last, and then written. So a write keeps what other isolates wrote
 * before. When two write at the same moment one of the texts is overwritten, and its content comes
 * with the next write. All of this happens in the background, and when a place fails every isolate
 * uses its own observations.
 *
 * The isolate's requests share numbers and nothing else: in workerd no request may wait for a
 * promise of another, and background work may be ended with its request at any time.
 */
export interface SharingEffects {
  readonly health: HealthRegistry;
  /** Addresses of all origins in the configuration. */
  readonly urls: readonly string[];
  readonly states: SharedStates;
  readonly clock: Clock;
  /** Receives a place that fails, and a text that cannot be read. */
  readonly emit: Emit<TroubleEvent>;
}

const NAME = 'health';

/** When a place is read and written. */
interface Schedule {
  readonly label: string;
  readonly kind: CallKind;
  readonly readEveryMs: number;
  /** After a change of a breaker, or when an origin became suspect. */
  readonly writeChangesEveryMs: number;
  /** After any other observation. */
  readonly writeAnyEveryMs: number;
  /** How long a text is kept there. */
  readonly keptSeconds: number;
  /** Whether a write needs a breaker that opened or closed. */
  readonly onlyOutages: boolean;
}

const DATA_CENTRE: Schedule = {
  label: 'health in the data centre',
  kind: 'external',
  readEveryMs: 10_000,
  writeChangesEveryMs: 1_000,
  writeAnyEveryMs: 30_000,
  keptSeconds: 600,
  onlyOutages: false,
};

/**
 * The free plan of KV has 1,000 writes a day for everything. Of a hundred isolates that see an
 * outage, the first one writes it.
 */
const WORLD: Schedule = {
  label: 'health in KV',
  kind: 'internal',
  readEveryMs: 60_000,
  writeChangesEveryMs: 60_000,
  writeAnyEveryMs: Infinity,
  keptSeconds: 3_600,
  onlyOutages: true,
};

/** A place that takes longer is treated as one that fails. */
const PLACE_LIMIT_MS = 5_000;

/** A place that failed is not used for so long: a quota that is used up stays so for a while. */
const PAUSE_AFTER_FAILURE_MS = 60_000;

/** The platform ends work that outlives its request by 30 s: an older exchange has ended. */
const EXCHANGE_LIMIT_MS = 30_000;

/** Keeps one isolate's registry and the shared places up to date with each other. */
export class HealthSharing {
  readonly #places: readonly SharedPlace[];
  readonly #clock: Clock;
  /** Until when an exchange is taken to be running. */
  #busyUntil = 0;

  constructor(effects: SharingEffects) {
    const { dataCentre, world } = effects.states;
    this.#clock = effects.clock;
    this.#places = [
      new SharedPlace(dataCentre, DATA_CENTRE, effects),
      ...(world ? [new SharedPlace(world, WORLD, effects)] : []),
    ];
  }

  /**
   * Reads and writes in the background what is due. Called where origins are asked. A request with few
   * calls left leaves it to the next one.
   */
  syncIfDue(background: Background, connections: Connections): void {
    if (!connections.hasSpareCalls) return;
    const now = this.#clock.now();
    if (now < this.#busyUntil || !this.#places.some((place) => place.isDue(now))) return;
    const until = now + EXCHANGE_LIMIT_MS;
    this.#busyUntil = until;
    background('share health', this.#exchange(connections, { now, until }));
  }

  /** Reads the places that are due. Never rejects. */
  async readIfDue(connections: Connections): Promise<void> {
    const now = this.#clock.now();
    for (const place of this.#places) {
      if (place.isDue(now)) await place.exchange(connections, 'read');
    }
  }

  /** Reads all places now. Never rejects. */
  async read(connections: Connections): Promise<void> {
    for (const place of this.#places) await place.exchange(connections, 'read');
  }

  /** Writes to all places now, if there is something new for them. Never rejects. */
  async write(connections: Connections): Promise<void> {
    for (const place of this.#places) await place.exchange(connections, 'write');
  }

  /** One place after the other: the request's own work comes first. */
  async #exchange(
    connections: Connections,
    { now, until }: { readonly now: number; readonly until: number },
  ): Promise<void> {
    for (const place of this.#places) if (place.isDue(now)) await place.exchange(connections);
    if (this.#busyUntil === until) this.#busyUntil = 0;
  }
}

const NOTHING: HealthByUrl = new Map();

class SharedPlace {
  readonly #state: SharedState;
  readonly #schedule: Schedule;
  readonly #effects: SharingEffects;
  /** When it was read and written last, in milliseconds since the epoch; 0 for never. */
  #readAt = 0;
  #writtenAt = 0;
  /** Until when it is not used, because it failed. */
  #pausedUntil = 0;
  /** How many of the registry's changes were written. */
  #changes = 0;
  /** When the newest observation in its text was made, in milliseconds since the epoch. */
  #newestAt = 0;
  /** Which breakers are not closed in its text; undefined while that is damaged. */
  #outages: string | undefined;
  readonly #reader: DocumentReader;

  constructor(state: SharedState, schedule: Schedule, effects: SharingEffects) {
    this.#state = state;
    this.#schedule = schedule;
    this.#effects = effects;
    this.#reader = new DocumentReader(HEALTH_VERSION, (error) => this.#report(error));
    this.#outages = outagesIn(NOTHING, effects.urls);
  }

  isDue(now: number): boolean {
    if (now < this.#pausedUntil) return false;
    return now - this.#readAt >= this.#schedule.readEveryMs || this.#isWriteDue(now);
  }

  #isWriteDue(now: number): boolean {
    const { writeAnyEveryMs, writeChangesEveryMs } = this.#schedule;
    const { health } = this.#effects;
    const sinceMs = now - this.#writtenAt;
    if (health.changes !== this.#changes && this.#isWorthWriting(health.snapshot()))
      return sinceMs >= writeChangesEveryMs;
    return sinceMs >= writeAnyEveryMs && newestIn(health.snapshot()) > this.#newestAt;
  }

  #isWorthWriting(ours: HealthByUrl): boolean {
    return !this.#schedule.onlyOutages || outagesIn(ours, this.#effects.urls) !== this.#outages;
  }

  /**
   * Reads and merges its text, and writes it where that is due or demanded. Never rejects: a
   * failure is emitted, and the place is not used for a while.
   */
  async exchange(connections: Connections, only?: 'read' | 'write'): Promise<void> {
    const { clock, health, urls } = this.#effects;
    const now = clock.now();
    const writes = only === 'write' || (only === undefined && this.#isWriteDue(now));
    this.#readAt = now;
    try {
      const read = await this.#read(now, connections);
      if (read === 'newer') {
        this.#pausedUntil = now + PAUSE_AFTER_FAILURE_MS;
        return;
      }
      const isDamaged = read === 'damaged';
      if (!isDamaged) {
        health.merge(read.value);
        this.#newestAt = Math.max(this.#newestAt, newestIn(read.value));
      }
      this.#outages = isDamaged ? undefined : outagesIn(read.value, urls);
      if (writes || (isDamaged && only !== 'read')) await this.#write(now, connections);
    } catch (error) {
      if (error instanceof LimitError) return; // the place has not failed
      this.#pausedUntil = now + PAUSE_AFTER_FAILURE_MS;
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.#effects.emit({ event: 'trouble', label: this.#schedule.label, error });
  }

  async #write(now: number, connections: Connections): Promise<void> {
    const { clock, health, urls } = this.#effects;
    const { changes } = health;
    const ours = health.snapshot();
    if (this.#isWorthWriting(ours)) {
      const newestAt = newestIn(ours);
      const outages = outagesIn(ours, urls);
      this.#writtenAt = now;
      const text = encodeHealth(ours, urls);
      const { keptSeconds, kind } = this.#schedule;
      await connections.run(kind, () =>
        within(clock, PLACE_LIMIT_MS, this.#state.write(NAME, text, keptSeconds)),
      );
      this.#newestAt = newestAt;
      this.#outages = outages;
    }
    this.#changes = changes;
  }

  /** The health in its text. That of a newer release stays as it is; a damaged one is written over. */
  async #read(now: number, connections: Connections): Promise<ReadDocument<HealthByUrl>> {
    const { clock, urls } = this.#effects;
    const text = await connections.run(this.#schedule.kind, () =>
      within(clock, PLACE_LIMIT_MS, this.#state.read(NAME)),
    );
    if (text === undefined) return { value: NOTHING };
    return this.#reader.read(text, (shared) => decodeHealth(shared, { urls, now }));
  }
}

/** When the newest observation was made, in milliseconds since the epoch. */
function newestIn(healthByUrl: HealthByUrl): number {
  let newest = 0;
  for (const { bulk, reach } of healthByUrl.values()) newest = Math.max(newest, bulk.at, reach.at);
  return newest;
}

/** Which breakers are not closed: the same text for the same ones. */
function outagesIn(healthByUrl: HealthByUrl, urls: readonly string[]): string {
  return urls
    .map((url) => {
      const health = healthByUrl.get(url);
      return [health?.reach, health?.bulk].map((breaker) => (breaker?.until ?? 0) > 0).join(' ');
    })
    .join();
}
