import { type Clock, within } from '../../effects/clock.ts';
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

/**
 * Seconds that it lives without a probe: the newest round is an hour beyond the day that the
 * history covers.
 */
const LIFE = 25 * 3_600;

/**
 * Milliseconds for which a reader is told what the last one was: anybody may ask, and each look at
 * KV counts.
 */
const MEMORY = 30_000;

/**
 * Milliseconds that a reader waits for it: who asks how things are is not to wait for what is
 * broken.
 */
const READ_LIMIT = 2_000;

/**
 * The history of probes where all isolates find it: in KV, or in the cache of the data centre where
 * there is no KV.
 */
export class ProbeLog {
  readonly #states: SharedStates;
  readonly #clock: Clock;
  readonly #report: (label: string, error: unknown) => void;
  #remembered: { readonly history: ProbeHistory; readonly until: number } = {
    history: [],
    until: 0,
  };

  constructor({
    states,
    clock,
    report,
  }: {
    readonly states: SharedStates;
    readonly clock: Clock;
    readonly report: (label: string, error: unknown) => void;
  }) {
    this.#states = states;
    this.#clock = clock;
    this.#report = report;
  }

  /**
   * The history of the last 24 hours; empty where it is not there, or cannot be read. Never
   * rejects.
   */
  async read(): Promise<ProbeHistory> {
    const now = this.#clock.now();
    if (now < this.#remembered.until) return lastDay(this.#remembered.history, now);
    try {
      const history = await this.#load();
      this.#remembered = { history, until: now + MEMORY };
      return lastDay(history, now);
    } catch (error) {
      this.#report('history of probes', error);
      return [];
    }
  }

  /**
   * Adds a round. Never rejects: then it is lost, rather than the history that could not be read
   * just now.
   */
  async add(round: ProbeRound): Promise<void> {
    try {
      const history = appendRound(await this.#load(), round);
      await this.#place.write(NAME, encodeHistory(history), LIFE);
      this.#remembered = { history, until: this.#clock.now() + MEMORY };
    } catch (error) {
      this.#report('history of probes', error);
    }
  }

  get #place() {
    return this.#states.world ?? this.#states.dataCentre;
  }

  async #load(): Promise<ProbeHistory> {
    const text = await within(this.#clock, READ_LIMIT, this.#place.read(NAME));
    if (text === undefined) return [];
    const history = decodeHistory(text);
    if (!history)
      this.#report('history of probes', 'Cannot read it: it is damaged or of another version');
    return history ?? [];
  }
}
