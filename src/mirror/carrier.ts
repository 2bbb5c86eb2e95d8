import type { Background } from '../effects/background.ts';
import type { Clock } from '../effects/clock.ts';
import type { Question } from '../origins/request/attempt.ts';
import type { Answer } from '../origins/race/ask.ts';
import type { Failure, Origin } from '../origins/origin.ts';
import type { SetAside } from './set-aside.ts';
import type { Budgets } from './budget.ts';
import type { Flights } from './flights.ts';
import type { LayeredStore } from '../store/layered.ts';
import type { Alarm } from '../telemetry/security-event.ts';
import type { Outcome } from './outcome.ts';
import type { Verification } from './verification.ts';

/** Everything that answering one request may touch. */
export interface Carrier {
  readonly store: LayeredStore;
  /** Asks origins in their order, in the time that is left. */
  readonly ask: <T>(origins: readonly Origin[], question: Question<T>) => Promise<Answer<T>>;
  readonly flights: Flights<Shared>;
  readonly verification: Verification;
  /** Who gave a wrong file lately. */
  readonly setAside: SetAside;
  /** Told of an origin whose stream, which was accepted, turned out to be no good file. */
  readonly distrust: (failure: Failure) => void;
  readonly alarm: Alarm;
  /** The memory that this isolate's requests share. */
  readonly budgets: Budgets;
  readonly background: Background;
  readonly clock: Clock;
  /** Aborted when the client leaves before it has an answer, where the platform tells. */
  readonly signal: AbortSignal;
  /** Milliseconds that are left until the first byte of the answer is due. */
  readonly timeLeft: () => number;
  /** A pipe for `size` bytes, or for an unknown number of them. */
  readonly openPipe: (size: number | undefined) => {
    readonly readable: ReadableStream<Uint8Array>;
    readonly writable: WritableStream<Uint8Array>;
  };
  /** Told of what went wrong without changing the answer. */
  readonly report: (label: string, error: unknown) => void;
}

/**
 * What the leader of a flight tells those who wait: an outcome whose body is no stream, or that the
 * file is in the store now, or that it could not be stored and everybody is on their own.
 */
export type Shared = Outcome | 'stored' | 'not stored';
