/**
 * The connections and the calls of one invocation of the Worker: a request with its background
 * work, or a cron run.
 *
 * The platform lets six connections of an invocation wait for response headers, over `fetch`, the
 * Cache API, KV and R2 together, and queues the seventh without a word. A streamed upload counts
 * until its answer has come, that is until it has ended. So modferry queues by itself, in order,
 * and what it measures of an origin or a store begins when the connection is free: a call that
 * waits here is not slow, and nobody is to blame for it.
 *
 * The platform also counts calls: `fetch`, each redirect, and the Cache API are external ones. Each
 * call beyond its limit throws. That is nobody's fault either: it is named `LimitError` here.
 *
 * There is no deadlock. A call that has a connection waits for its own answer and for no other
 * connection, and ends by its time limit at the latest. A streamed upload is the exception: it
 * holds its connection while the body that it stores may break off, and then the rest is asked for
 * over another connection. An invocation fills one file at a time, so this is one connection of
 * the six. The other five always become free, and the queue moves on. An origin's answer has given
 * its connection back before anything is done with its body.
 */

/** What the platform allows an invocation to have waiting for headers. */
const MAX_CONNECTIONS = 6;

/** So many external calls are kept for what an answer cannot do without. */
const SPARE_CALLS = 10;

/** How the platform words it. Nothing else in the error tells what it is. */
const REFUSED = /too many (subrequests|api requests)/i;

/** Whom a call goes to: external calls are `fetch` and the Cache API, internal ones KV and R2. */
export type CallKind = 'external' | 'internal';

/** Thrown in place of the platform's error when an invocation has made too many calls. */
export class LimitError extends Error {
  override readonly name = 'LimitError';

  constructor(cause: Error) {
    super(`The platform allows no more calls: ${cause.message}`, { cause });
  }
}

/** One of the six, or a place in the queue for it. */
export interface Connection {
  readonly isFree: boolean;
  /** Resolves when it is free. Rejects with the reason of `signal` when that is aborted first. */
  untilFree(signal?: AbortSignal): Promise<void>;
  /** Passes it on, or leaves the queue. Does nothing after the first time. */
  release(): void;
}

export interface ConnectionsOptions {
  /** The external calls that the platform allows. Default: no limit. */
  readonly externalCalls?: number | undefined;
  /** Called once, when the platform refuses a call for the first time. */
  readonly onRefused?: ((error: LimitError) => void) | undefined;
}

export class Connections {
  readonly #externalCalls: number;
  readonly #onRefused: ((error: LimitError) => void) | undefined;
  /** Those who wait, in order. Each function gives a connection to one of them. */
  readonly #queue: (() => void)[] = [];
  #taken = 0;
  #external = 0;
  #isRefused = false;

  constructor({ externalCalls = Infinity, onRefused }: ConnectionsOptions = {}) {
    this.#externalCalls = externalCalls;
    this.#onRefused = onRefused;
  }

  /** Whether there are calls left for what only helps: hedges, trials, copies in the edge cache. */
  get hasSpareCalls(): boolean {
    return !this.#isRefused && this.#external < this.#externalCalls - SPARE_CALLS;
  }

  /** Whether the platform has refused a call. What fails after that shows nothing of its server. */
  get isRefused(): boolean {
    return this.#isRefused;
  }

  /** Whether a call waits for a connection. */
  get isCrowded(): boolean {
    return this.#queue.length > 0;
  }

  /** Takes a connection, or a place at the end of the queue. The caller has to release it. */
  take(): Connection {
    const turn = Promise.withResolvers<void>();
    let state: 'queued' | 'free' | 'released' = 'queued';
    const begin = () => {
      state = 'free';
      turn.resolve();
    };
    if (this.#taken < MAX_CONNECTIONS) {
      this.#taken += 1;
      begin();
    } else this.#queue.push(begin);
    return {
      get isFree() {
        return state === 'free';
      },
      untilFree: (signal) => unlessAborted(turn.promise, signal),
      release: () => {
        if (state === 'free') this.#passOn();
        else if (state === 'queued') this.#queue.splice(this.#queue.indexOf(begin), 1);
        state = 'released';
      },
    };
  }

  #passOn(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.#taken -= 1;
  }

  /** Makes a call when a connection is free. The call has the connection until it has settled. */
  async run<T>(kind: CallKind, call: () => Promise<T>): Promise<T> {
    const connection = this.take();
    try {
      if (!connection.isFree) await connection.untilFree();
      return await this.call(kind, call);
    } finally {
      connection.release();
    }
  }

  /** Makes a call over a connection that the caller has. Rejects with `LimitError` if refused. */
  async call<T>(kind: CallKind, call: () => Promise<T>): Promise<T> {
    if (kind === 'external') this.#external += 1;
    try {
      return await call();
    } catch (error) {
      throw this.#named(error);
    }
  }

  #named(error: unknown): unknown {
    if (!(error instanceof Error) || !REFUSED.test(error.message)) return error;
    if (error instanceof LimitError) return error;
    const limit = new LimitError(error);
    if (!this.#isRefused) this.#onRefused?.(limit);
    this.#isRefused = true;
    return limit;
  }
}

async function unlessAborted(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (!signal) return work;
  const end = Promise.withResolvers<never>();
  const abort = () => end.reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([work, end.promise]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
