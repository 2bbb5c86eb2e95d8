/**
 * Short texts that isolates exchange: the health of the origins, and the results of the last
 * probes. A text may disappear at any time and may come from another release: a reader validates
 * it, and works without it. No answer waits for a text.
 *
 * test/contracts runs the same suite on every implementation.
 */
export interface SharedState {
  /**
   * The last text that has reached this location, or undefined when there is none or its lifetime
   * has ended.
   */
  read(name: string): Promise<string | undefined>;
  /**
   * Replaces the text for `seconds`. Another location may read the previous text for about a
   * minute.
   */
  write(name: string, text: string, seconds: number): Promise<void>;
}

/** The locations of shared texts: this data centre, and world-wide where there is KV. */
export interface SharedStates {
  readonly dataCentre: SharedState;
  readonly world?: SharedState;
}
