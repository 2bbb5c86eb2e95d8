import { type Clock, within } from '../effects/clock.ts';
import type { StoreKey } from '../store/key.ts';
import type { RequestContext } from './context.ts';
import { brokeOff, stillFetched } from './messages.ts';
import type { Kept, Outcome, SharedOutcome } from './outcome.ts';
import { type Leader, SILENCE_MS } from './single-flight.ts';

/** How often a leader shows that it is alive, in milliseconds. */
const BEAT_MS = 1_000;

/**
 * How many requests fetch the same file at a time. More would share one line to the origin, and an
 * origin that is slow or lies would be asked once for each client.
 */
const MAX_FETCHES = 3;

/** How many fetches of others a request sees break off before it gives up. */
const MAX_BROKEN = 3;

/**
 * The part of its time left for which a request waits for a stream. A stream takes as long as its
 * file is large, and only its own client receives bytes meanwhile. The rest is for a fetch of its
 * own.
 */
const SHARE_OF_TIME_TO_WAIT = 0.7;

/**
 * A leader answers at its deadline, and from the store a moment later. Those who wait for it give
 * it that moment.
 */
const GRACE_MS = 1_000;

/** Milliseconds between two looks at the fetches of others. */
const RETRY_MS = 250;

/** The result of a fetch. */
export interface Delivery {
  readonly outcome: Outcome;
  /** Resolves when the writes to the store have ended. */
  readonly settled?: Promise<void> | undefined;
  /** Present where the body is a stream, which no other request can read. */
  readonly stream?: StreamDelivery | undefined;
}

export interface StreamDelivery {
  /** Resolves with what became of the file, as soon as that is certain. */
  readonly kept: Promise<Kept>;
  /** Resolves when the origin's body was read to its end, or is not read any further. */
  readonly ended: Promise<unknown>;
}

/** A file that one request fetches for all. */
export interface SharedFile {
  readonly key: StoreKey;
  /** The name of the file in messages. */
  readonly subject: string;
  /** Looks for the file in the store, after another request has stored it. */
  find(): Promise<Outcome | undefined>;
  /** Fetches it, as the leader of the flight. */
  fetch(leader: Leader<SharedOutcome>): Promise<Delivery>;
}

type Context = Pick<RequestContext, 'background' | 'clock' | 'shared' | 'signal' | 'timeLeftMs'>;

/**
 * The outcome of a file that is fetched once for all requests at a time. The first request leads,
 * and the others wait as long as it makes progress. When it fails, or is silent for three seconds,
 * one of them leads and the others wait for that one. Rejects as `fetch` does.
 *
 * A request whose time is nearly up while the leader streams fetches the file for itself, unless
 * three do so already. Whoever gets nothing in time is told to try again (503).
 */
export async function fetchOnce(file: SharedFile, context: Context): Promise<Outcome> {
  const { clock, shared, signal } = context;
  const { flights } = shared;
  const { key, subject } = file;
  const leftMs = context.timeLeftMs();
  const impatientAt = clock.steady() + leftMs * SHARE_OF_TIME_TO_WAIT;
  const deadline = clock.steady() + leftMs + GRACE_MS;
  // Whether another request may have stored the file since this one looked for it.
  let mayBeStored = false;
  for (let broken = 0; broken < MAX_BROKEN;) {
    // No `await` may come between `join` and `lead`, or two requests would lead.
    const leader = flights.join(key);
    const mayLead = () =>
      flights.count(key) < MAX_FETCHES &&
      (!leader || (leader.isStreaming && clock.steady() >= impatientAt));
    const isOver = () => clock.steady() >= deadline || signal.aborted;
    if (mayLead() && !mayBeStored) {
      leader?.leave();
      return fetchShared(file, context);
    }
    let value: SharedOutcome | undefined = 'stored';
    if (!mayLead() && !isOver()) {
      value = leader
        ? await valueOf(leader, clock, () => mayLead() || isOver())
        : await clock.sleep(RETRY_MS).then(() => undefined);
      if (value === 'stored' || value === 'broken') broken += 1;
    }
    leader?.leave();
    if (typeof value === 'object') return value;
    if (isOver()) return stillFetched(subject);
    mayBeStored = value === undefined || value === 'stored';
    if (value !== 'stored') continue;
    const found = await file.find();
    if (found) return found;
    mayBeStored = false;
  }
  return brokeOff(subject);
}

/**
 * What the leader shares; undefined when it makes no progress, or when `isEnough`. The platform
 * demands a timer of its own of a request that waits for another one.
 */
async function valueOf<T>(
  leader: Leader<T>,
  clock: Clock,
  isEnough: () => boolean,
): Promise<T | undefined> {
  // Once: each subscription to a promise of another request is kept, and costs a line of the log when
  // that request has ended before.
  const shared = leader.shared.then((value) => value);
  while (leader.silentMs < SILENCE_MS && !isEnough()) {
    const value = await within(clock, RETRY_MS, shared).catch(() => undefined);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Fetches a file for this request and for those that join until it is stored. */
async function fetchShared(file: SharedFile, context: Context): Promise<Outcome> {
  const { background, clock, shared, signal } = context;
  const leader = shared.flights.lead(file.key);
  void beat(leader, clock);
  const fetched = file.fetch(leader);
  const ended = fetched
    .then(async ({ outcome, settled, stream }) => {
      // A fetch that was aborted with its client is no answer for the waiting requests.
      const isAborted = signal.aborted && outcome.kind !== 'found';
      if (stream) leader.share(await stream.kept);
      else leader.share(isAborted ? 'not stored' : outcome);
      if (stream || isAborted) leader.land();
      await settled;
      leader.land();
      await stream?.ended;
    })
    .finally(() => {
      leader.share('broken'); // without effect after the first value
      leader.end();
    });
  background('fetch', ended);
  return (await fetched).outcome;
}

/**
 * Shows that a leader is alive until it has ended: by timers of its request, which stop when the
 * platform ends the request.
 */
export async function beat(
  leader: Pick<Leader<unknown>, 'hasEnded' | 'beat'>,
  clock: Clock,
): Promise<void> {
  while (!leader.hasEnded) {
    leader.beat();
    await new Promise<void>((resolve) => void clock.alarm(BEAT_MS, resolve));
  }
}
