import type { Background } from '../effects/background.ts';
import type { Clock } from '../effects/clock.ts';
import type { Emit, TroubleEvent } from '../effects/emit.ts';
import type { Failure } from '../origins/failure.ts';
import type { Origin } from '../origins/origin.ts';
import type { Answer } from '../origins/race/answer.ts';
import type { Question } from '../origins/request/question.ts';
import type { SelectPart } from '../store/large-files.ts';
import type { LayeredStore } from '../store/layered.ts';
import type { RealmName } from '../store/realm.ts';
import type { MirrorEvent } from './events.ts';
import type { Budgets } from './memory-budget.ts';
import type { Outcome, SharedOutcome } from './outcome.ts';
import type { SingleFlight } from './single-flight.ts';
import type { WrongFiles } from './wrong-files.ts';

/**
 * Answers one kind of request. Decorators such as `cachedOnly` and `refusePrivate` take a resolver
 * and return another.
 */
export type Resolver<Request, Context extends RequestContext = RequestContext> = (
  request: Request,
  context: Context,
) => Promise<Outcome>;

/** Every dependency of the answer to one request. */
export interface RequestContext extends RequestEffects {
  readonly store: LayeredStore;
  readonly origins: OriginAccess;
  readonly shared: SharedByRequests;
  /** What takes the place of the store and of what requests share, for the files of a realm. */
  readonly realm: (name: RealmName) => RealmEffects;
  /** Whether origins may be asked; if not, the answer comes from the store only. */
  readonly mayFetch: boolean;
  /** How old a last good copy may be that is served in an outage, in milliseconds. */
  readonly staleMaxMs: number;
  /** Chooses the part of a stored large file that is sent; undefined for the whole file. */
  readonly select: SelectPart | undefined;
}

/** The effects of one request on the files of a realm. */
export type RealmEffects = Pick<RequestContext, 'store' | 'shared'>;

/** The effects of one request that are independent of modules. */
export interface RequestEffects {
  readonly clock: Clock;
  readonly background: Background;
  readonly emit: Emit<MirrorEvent | TroubleEvent>;
  /**
   * Aborted when the client disconnects before it has an answer, where the platform reports that.
   */
  readonly signal: AbortSignal;
  /** Milliseconds left until the deadline for the first byte of the answer. */
  readonly timeLeftMs: () => number;
  /** Whether the platform allows calls for what only helps. */
  readonly hasSpareCalls: () => boolean;
  readonly openPipe: OpenPipe;
}

/**
 * Opens a pipe for exactly `size` bytes, or for any number where it is undefined. A pipe of known
 * size that is closed early fails on both sides.
 */
export type OpenPipe = (size: number | undefined) => {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
};

/** Access to origins. */
export interface OriginAccess {
  /** Asks origins within the time left of the request. Never rejects. */
  readonly ask: <T>(origins: readonly Origin[], question: Question<T>) => Promise<Answer<T>>;
  /**
   * Records a failure of an origin whose answer was accepted and whose file proved wrong
   * afterwards.
   */
  readonly recordFailure: (failure: Failure) => void;
}

/** The state that the requests of an isolate share. */
export interface SharedByRequests {
  readonly flights: SingleFlight<SharedOutcome>;
  readonly budgets: Budgets;
  readonly wrongFiles: WrongFiles;
}
