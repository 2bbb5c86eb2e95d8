/** Hands an event to whatever listens: the log, counters, alerts. Never throws and never waits. */
export type Emit<Event> = (event: Event) => void;

/** Something went wrong without changing the answer: a tier that failed, a fill that broke off. */
export interface TroubleEvent {
  readonly event: 'trouble';
  /** Which part of the work it was. */
  readonly label: string;
  readonly error: unknown;
}
