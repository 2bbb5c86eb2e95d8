import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock } from '../../src/effects/clock.ts';
import { Connections } from './connections.ts';
import type { PlatformLimits } from './limits.ts';
import { type Counts, externalOf, isExternal, type Operation, OPERATIONS } from './operations.ts';

/**
 * One run of a Worker: a request or a cron event, with the background work that it started. Its
 * calls are counted and limited.
 */
export class Invocation {
  readonly #limits: PlatformLimits;
  readonly #clock: Pick<Clock, 'sleep'>;
  readonly #connections: Connections;
  readonly #counts: Record<Operation, number>;
  readonly #ended = new AbortController();
  #isAnswered = false;
  #refused = 0;

  constructor(limits: PlatformLimits, clock: Pick<Clock, 'sleep'>) {
    this.#limits = limits;
    this.#clock = clock;
    this.#connections = new Connections(limits.connections);
    const none = OPERATIONS.map((operation) => [operation, 0] as const);
    this.#counts = Object.fromEntries(none) as Record<Operation, number>;
  }

  /** The calls until now, without the refused ones. */
  get counts(): Counts {
    return { ...this.#counts };
  }

  /** The number of calls beyond a limit. */
  get refused(): number {
    return this.#refused;
  }

  /** The most calls that waited for a connection at the same time. */
  get mostWaiting(): number {
    return this.#connections.mostWaiting;
  }

  /** Aborted when the platform ends the invocation. */
  get ended(): AbortSignal {
    return this.#ended.signal;
  }

  /**
   * Makes a call: counts it, and waits for one of the connections, which it occupies until it
   * settles. Rejects as the platform does when the call is beyond a limit.
   */
  async call<T>(operation: Operation, perform: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    if (this.ended.aborted) return new Promise(() => undefined);
    this.#count(operation);
    await this.outlive(this.#connections.take(signal));
    try {
      return await this.outlive(perform());
    } finally {
      this.#connections.release();
    }
  }

  /** Settles as `work` does, and never once the platform has ended the invocation. */
  async outlive<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } finally {
      if (this.ended.aborted) await new Promise(() => undefined);
    }
  }

  /**
   * The answer was sent, or the client left. The platform ends the invocation some time later,
   * whatever it still does.
   */
  answered(): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    const end = () => this.#ended.abort(new Error('The platform has ended this invocation'));
    void this.#clock.sleep(this.#limits.waitUntilMs).then(end);
  }

  #count(operation: Operation): void {
    const external = externalOf(this.#counts);
    const all = OPERATIONS.reduce((sum, each) => sum + this.#counts[each], 0);
    const [made, limit, error] = isExternal(operation)
      ? [external, this.#limits.externalCalls, TOO_MANY_EXTERNAL]
      : [all - external, this.#limits.inHouseCalls, TOO_MANY_IN_HOUSE];
    if (made >= limit) {
      this.#refused += 1;
      throw new Error(error);
    }
    this.#counts[operation] += 1;
  }
}

const TOO_MANY_EXTERNAL =
  'Too many subrequests by single Worker invocation. To configure this limit, refer to https://developers.cloudflare.com/workers/wrangler/configuration/#limits';
const TOO_MANY_IN_HOUSE = 'Too many API requests by single Worker invocation.';

const invocations = new AsyncLocalStorage<Invocation>();

/** Runs a Worker's handler. All calls that follow from it belong to `invocation`. */
export function runInvocation<T>(invocation: Invocation, handler: () => T): T {
  return invocations.run(invocation, handler);
}

/** The invocation of the code that runs now. */
export function currentInvocation(): Invocation {
  const invocation = invocations.getStore();
  if (!invocation) throw new Error('Disallowed operation called within global scope');
  return invocation;
}
