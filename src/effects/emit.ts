/** Passes an event to the sinks: the log, counters, alerts. Returns at once and never throws. */
export type Emit<Event> = (event: Event) => void;

/** A failure that the answer does not show, such as a failed tier or a fill that broke off. */
export interface TroubleEvent {
  readonly event: 'trouble';
  /** Names the part that failed, such as the label of a tier. */
  readonly label: string;
  readonly error: unknown;
}
