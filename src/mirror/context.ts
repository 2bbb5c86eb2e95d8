import type { Background } from '../effects/background.ts';
import type { Clock } from '../effects/clock.ts';
import type { Emit, TroubleEvent } from '../effects/emit.ts';
import type { Failure } from '../origins/failure.ts';
import type { Origin } from '../origins/origin.ts';
import type { Answer } from '../origins/race/answer.ts';
import type { Question } from '../origins/request/question.ts';
import type { SelectRange } from '../store/large-files.ts';
import type { LayeredStore } from '../store/layered.ts';
import type { MirrorEvent } from './events.ts';
import type { Budgets } from './memory-budget.ts';
import type { Outcome, SharedOutcome } from './outcome.ts';
import type { SingleFlight } from './single-flight.ts';
import type { WrongFiles } from './wrong-files.ts';

/**
 * Answers one kind of request. Access, policy and cached-only are functions from one resolver to
 * another.
 */
export type Resolver<Request, Context extends RequestContext = RequestContext> = (
  request: Request,
  context: Context,
) => Promise<Outcome>;

/** Everything that answering one request may touch. */
export interface RequestContext extends RequestEffects {
  readonly store: LayeredStore;
  readonly origins: OriginAccess;
  readonly shared: SharedByRequests;
  /** Whether origins may be asked; otherwise the answer comes from the store alone. */
  readonly mayFetch: boolean;
  /** Chooses the part of a stored large file that is sent. */
  readonly select: SelectRange | undefined;
}

/** The effects of one request that say nothing of modules. */
export interface RequestEffects {
  readonly clock: Clock;
  readonly background: Background;
  readonly emit: Emit<MirrorEvent | TroubleEvent>;
  /** Aborted when the client leaves before it has an answer, where the platform reports that. */
  readonly signal: AbortSignal;
  /** Milliseconds that are left until the first byte of the answer is due. */
  readonly timeLeftMs: () => number;
  readonly openPipe: OpenPipe;
}

/**
 * Opens a pipe for `size` bytes, or for any number of them. Ending it early is an error on both
 * sides.
 */
export type OpenPipe = (size: number | undefined) => {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
};

/** How the engine reaches origins. */
export interface OriginAccess {
  /** Asks origins in their order, in the time that is left. Never rejects. */
  readonly ask: <T>(origins: readonly Origin[], question: Question<T>) => Promise<Answer<T>>;
  /** Counts a failure of an origin whose stream was accepted and turned out to be no good file. */
  readonly recordFailure: (failure: Failure) => void;
}

/** What the requests of an isolate have in common. */
export interface SharedByRequests {
  readonly flights: SingleFlight<SharedOutcome>;
  readonly budgets: Budgets;
  readonly wrongFiles: WrongFiles;
}
