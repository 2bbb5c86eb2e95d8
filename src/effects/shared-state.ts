/**
 * Short texts that isolates tell each other: what is known of the origins, and what the last probes
 * found. Nobody waits for one, and each may be lost at any time: whoever reads checks what it gets,
 * and does without.
 *
 * test/contracts runs the same suite on every implementation.
 */
export interface SharedState {
  /**
   * The text as it was written last, as far as this place knows; undefined when there is none or
   * its time is over.
   */
  read(name: string): Promise<string | undefined>;
  /**
   * Writes over what is there, for `seconds`. Another place may go on seeing the text before for
   * about a minute.
   */
  write(name: string, text: string, seconds: number): Promise<void>;
}

/** Where such texts are kept: in this data centre, and world-wide where there is KV. */
export interface SharedStates {
  readonly dataCentre: SharedState;
  readonly world?: SharedState;
}
