import { type Clock, within } from '../../effects/clock.ts';
import type { Emit, TroubleEvent } from '../../effects/emit.ts';
import type { SharedStates } from '../../effects/shared-state.ts';
import {
  appendRound,
  decodeHistory,
  encodeHistory,
  lastDay,
  type ProbeHistory,
  type ProbeRound,
} from './probe-history.ts';

const NAME = 'probes';

const LABEL = 'history of probes';

/** The newest round is kept for an hour longer than the day that the history covers. */
const KEPT_SECONDS = 25 * 3_600;

/** Everybody may read it, and each read of KV counts: so one read serves all of this time. */
const REMEMBERED_MS = 30_000;

/** A reader waits no longer: a status page must not hang because its store does. */
const READ_LIMIT_MS = 2_000;

/**
 * The history of probes in a place that all isolates read: KV, or the cache of the data centre
 * where there is no KV.
 */
export class ProbeLog {
  readonly #states: SharedStates;
  readonly #clock: Clock;
  readonly #emit: Emit<TroubleEvent>;
  #remembered: { readonly history: ProbeHistory; readonly until: number } = {
    history: [],
    until: 0,
  };

  constructor({
    states,
    clock,
    emit,
  }: {
    readonly states: SharedStates;
    readonly clock: Clock;
    /** Receives a place that fails, and a text that cannot be read. */
    readonly emit: Emit<TroubleEvent>;
  }) {
    this.#states = states;
    this.#clock = clock;
    this.#emit = emit;
  }

  /** The history of the last 24 hours; empty where there is none to read. Never rejects. */
  async read(): Promise<ProbeHistory> {
    const now = this.#clock.now();
    if (now < this.#remembered.until) return lastDay(this.#remembered.history, now);
    try {
      const history = await this.#load();
      this.#remembered = { history, until: now + REMEMBERED_MS };
      return lastDay(history, now);
    } catch (error) {
      this.#trouble(error);
      return [];
    }
  }

  /**
   * Adds a round. Never rejects. When the history cannot be read just now the round is dropped:
   * writing it would delete the history.
   */
  async add(round: ProbeRound): Promise<void> {
    try {
      const history = appendRound(await this.#load(), round);
      await this.#place.write(NAME, encodeHistory(history), KEPT_SECONDS);
      this.#remembered = { history, until: this.#clock.now() + REMEMBERED_MS };
    } catch (error) {
      this.#trouble(error);
    }
  }

  get #place() {
    return this.#states.world ?? this.#states.dataCentre;
  }

  async #load(): Promise<ProbeHistory> {
    const text = await within(this.#clock, READ_LIMIT_MS, this.#place.read(NAME));
    if (text === undefined) return [];
    const history = decodeHistory(text);
    if (!history) this.#trouble('Cannot read it: it is damaged or of another version');
    return history ?? [];
  }

  #trouble(error: unknown): void {
    this.#emit({ event: 'trouble', label: LABEL, error });
  }
}
