import { type DocumentEffects, SharedDocument } from '../../effects/shared-document.ts';
import {
  appendRound,
  decodeHistory,
  encodeHistory,
  HISTORY_VERSION,
  lastDay,
  type ProbeHistory,
  type ProbeRound,
} from './probe-history.ts';

/** The newest round is kept for an hour longer than the day that the history covers. */
const KEPT_SECONDS = 25 * 3_600;

/** The history of probes, which isolates share. */
export class ProbeLog {
  readonly #document: SharedDocument<ProbeHistory>;
  readonly #clock: DocumentEffects['clock'];

  constructor(effects: DocumentEffects) {
    this.#clock = effects.clock;
    this.#document = new SharedDocument<ProbeHistory>(
      {
        name: 'probes',
        version: HISTORY_VERSION,
        label: 'history of probes',
        keptSeconds: KEPT_SECONDS,
        empty: [],
        encode: encodeHistory,
        decode: decodeHistory,
      },
      effects,
    );
  }

  /** The history of the last 24 hours; empty where there is none to read. Never rejects. */
  async read(): Promise<ProbeHistory> {
    return lastDay(await this.#document.read(), this.#clock.now());
  }

  /** Adds a round. Never rejects. */
  add(round: ProbeRound): Promise<void> {
    return this.#document.update((history) => appendRound(history, round));
  }
}
