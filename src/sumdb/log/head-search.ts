import type { Effort } from '../../origins/race/answer.ts';
import { type LogAnswer, type NoAnswer, totalEffort } from './log-answer.ts';

export interface HeadSources {
  /** Takes over the head that all isolates have in common. */
  readonly catchUp: () => Promise<void>;
  /** Takes over the head that an address shows, of those that are not in `behind`. */
  readonly ask: (behind: ReadonlySet<string>) => Promise<LogAnswer<unknown>>;
}

/**
 * Brings the latest tree head forward, for a tile that it does not reach: to the head that other
 * isolates have seen, then to that of each address in turn, because one may lag behind another.
 *
 * A client of the log searches once, and it lives as long as its request: in an outage every
 * further question would wait.
 */
export class HeadSearch {
  readonly #sources: HeadSources;
  #hasCaughtUp = false;
  /** Names of addresses whose head was not new enough. */
  readonly #behind = new Set<string>();
  readonly #efforts: Effort[] = [];
  #end: NoAnswer | undefined;

  constructor(sources: HeadSources) {
    this.#sources = sources;
  }

  /** Takes the next step. Resolves with the reason when none is left. */
  async next(): Promise<NoAnswer | undefined> {
    if (this.#end) return this.#end;
    if (!this.#hasCaughtUp) {
      this.#hasCaughtUp = true;
      await this.#sources.catchUp();
      return undefined;
    }
    const answer = await this.#sources.ask(this.#behind);
    if (answer.kind !== 'proven') return (this.#end = this.#endOf(answer));
    if (answer.source.kind === 'asked') {
      this.#behind.add(answer.source.origin);
      this.#efforts.push(answer.source.effort);
    }
    return undefined;
  }

  /** When every address was asked and none failed, there is no such tile yet. */
  #endOf(answer: NoAnswer): NoAnswer {
    const effort = totalEffort([...this.#efforts, answer.effort]);
    const [origin] = this.#behind;
    if (origin === undefined || answer.kind !== 'failed' || answer.failures.length > 0) {
      return { ...answer, effort };
    }
    const missing = { status: 404, text: 'no tree head of the log reaches it', origin } as const;
    return { kind: 'missing', missing, isUnanimous: false, effort };
  }
}
