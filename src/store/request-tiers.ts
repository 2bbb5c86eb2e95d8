/**
 * The tiers as one request uses them: each call waits for a connection of the request, and its time
 * limit begins when the connection is free. What comes after the limit is dropped.
 *
 * A streamed upload has its connection until it has ended, like the put that it is. The parts of a
 * multipart upload have one each for their time. Every call in it has a time limit, so a store that
 * does not answer gives the connection back (see effects/connections.ts).
 *
 * A copy in a cache tier only helps later requests. So it is not written while calls are scarce,
 * nor while the tier refuses files (tier-health.ts).
 */
import { discard } from '../bytes/streams.ts';
import { type Clock, TimeoutError, within } from '../effects/clock.ts';
import { type CallKind, type Connections, LimitError } from '../effects/connections.ts';
import type { DurableStore, ListedFile, NearStore, Upload, WorldStore } from './contract.ts';
import type { TierHealth } from './tier-health.ts';
import type { Tiers } from './tiers.ts';

export interface TierEffects {
  readonly clock: Clock;
  readonly connections: Connections;
  /** Shared by the requests of an isolate. */
  readonly health: TierHealth;
  /** How long a stream may go without progress. It limits what a stream waits for. */
  readonly stallMs: number;
}

const READ_LIMIT_MS = 5_000;

/**
 * A call that is given up still has its connection at the platform. With two of them lost, a request
 * has four for the origins, and the tier counts as failed for it.
 */
const MAX_LOST = 2;

/** Of a small file, of a chunk of an upload, of a removal. */
const WRITE_LIMIT_MS = 10_000;

/** Of the end of an upload. Work beside an answer may last 30 s. */
const STREAM_LIMIT_MS = 25_000;

/** A shorter stall limit would end uploads to a store that is well. */
const SHORTEST_LIMIT_MS = 10_000;

export function requestTiers({ durable, near, world }: Tiers, effects: TierEffects): Tiers {
  return {
    near: near && nearTier(near, new Calls(near.label, 'external', effects)),
    world: world && worldTier(world, new Calls(world.label, 'internal', effects)),
    durable: durable && durableTier(durable, new Calls(durable.label, 'internal', effects)),
  };
}

function nearTier(near: NearStore, calls: Calls): NearStore {
  return {
    ...copying(near, calls),
    read: (key) => calls.run(() => near.read(key), READ_LIMIT_MS),
    writeMissing: (key, missing, life) => calls.copy(() => near.writeMissing(key, missing, life)),
  };
}

function worldTier(world: WorldStore, calls: Calls): WorldStore {
  return {
    ...copying(world, calls),
    read: (key) => calls.run(() => world.read(key), READ_LIMIT_MS),
  };
}

/** What both tiers of copies have in common. */
function copying<T extends NearStore | WorldStore>(
  tier: T,
  calls: Calls,
): Pick<T, 'label' | 'write' | 'remove'> {
  return {
    label: tier.label,
    write: (key, file, life) => calls.copy(() => tier.write(key, file, life)),
    remove: (key) => calls.run(() => tier.remove(key), WRITE_LIMIT_MS),
  };
}

function durableTier(tier: DurableStore, calls: Calls): DurableStore {
  return {
    label: tier.label,
    read: (key, range) => calls.run(() => tier.read(key, range), READ_LIMIT_MS),
    head: (key) => calls.run(() => tier.head(key), READ_LIMIT_MS),
    write: (key, file, mode) => calls.run(() => tier.write(key, file, mode), WRITE_LIMIT_MS),
    swap: (key, known, file) => calls.run(() => tier.swap(key, known, file), WRITE_LIMIT_MS),
    readForSwap: (key) => calls.run(() => tier.readForSwap(key), READ_LIMIT_MS),
    remove: (keys) => calls.run(() => tier.remove(keys), WRITE_LIMIT_MS),
    upload: (key, file) =>
      file.size === undefined
        ? inParts(() => tier.upload(key, file), calls)
        : streamed(() => tier.upload(key, file), calls),
    async *list(prefix, after) {
      yield* await calls.run(() => collect(tier.list(prefix, after)), READ_LIMIT_MS);
    },
  };
}

/** The calls of one request to one tier. */
class Calls {
  readonly #label: string;
  readonly #kind: CallKind;
  readonly #effects: TierEffects;
  /** Calls that have exceeded their limit and have not ended. */
  #lost = 0;

  constructor(label: string, kind: CallKind, effects: TierEffects) {
    this.#label = label;
    this.#kind = kind;
    this.#effects = effects;
  }

  /** Makes a call when a connection is free. Rejects with `TimeoutError` after `limitMs`. */
  run<T>(call: () => Promise<T>, limitMs: number): Promise<T> {
    return this.#effects.connections.run(this.#kind, async () => {
      const result = await this.#limited(call, limitMs);
      this.answered();
      return result;
    });
  }

  /** The limit of a call that a stream waits for. */
  streamLimitMs(usualMs: number): number {
    return Math.min(usualMs, Math.max(this.#effects.stallMs, SHORTEST_LIMIT_MS));
  }

  /** Notes that the tier has answered. */
  answered(): void {
    this.#effects.health.answered(this.#label);
  }

  /**
   * As `run`, over a connection that the caller has. The tier may not have answered yet: the start
   * of a streamed upload and its first chunks succeed before it does.
   */
  over<T>(call: () => Promise<T>, limitMs: number): Promise<T> {
    return this.#effects.connections.call(this.#kind, () => this.#limited(call, limitMs));
  }

  /** Ends what was begun, also when calls are lost. Never rejects. */
  async end(call: () => Promise<void>): Promise<void> {
    await within(this.#effects.clock, WRITE_LIMIT_MS, call()).catch(() => undefined);
  }

  /**
   * Writes a copy that only helps later requests, or does not try. Rejects for the first of several
   * files that the tier refuses.
   */
  async copy(write: () => Promise<void>): Promise<void> {
    const { clock, connections, health } = this.#effects;
    const isScarce = this.#kind === 'external' && !connections.hasSpareCalls;
    if (isScarce || health.isPaused(this.#label, clock.steady())) return;
    try {
      await this.run(write, WRITE_LIMIT_MS);
      health.wrote(this.#label);
    } catch (error) {
      if (error instanceof LimitError) throw error;
      if (health.isPaused(this.#label, clock.steady())) return; // another write has failed
      health.refusedWrite(this.#label, clock.steady());
      throw error;
    }
  }

  async #limited<T>(call: () => Promise<T>, usualMs: number): Promise<T> {
    const { clock, health } = this.#effects;
    if (this.#lost >= MAX_LOST) throw new Error('It does not answer, and is not asked again');
    const work = call();
    try {
      // A write is waited for also after a silence: it would be lost, and most run beside an answer.
      const isRead = usualMs === READ_LIMIT_MS;
      const limitMs = isRead ? health.limitMs(this.#label, usualMs) : usualMs;
      return await within(clock, limitMs, work);
    } catch (error) {
      if (error instanceof TimeoutError) {
        health.exceededLimit(this.#label);
        this.#lost += 1;
        const late = (result: unknown) => {
          this.answered();
          dropLate(result); // it has no other reader
        };
        void work.then(late, () => undefined).finally(() => (this.#lost -= 1));
      } else this.answered();
      throw error;
    }
  }

  take(): ReturnType<Connections['take']> {
    return this.#effects.connections.take();
  }
}

/** An upload that has one connection from its start to its end. */
async function streamed(start: () => Promise<Upload>, calls: Calls): Promise<Upload> {
  const connection = calls.take();
  if (!connection.isFree) await connection.untilFree();
  const upload = await calls.over(start, READ_LIMIT_MS).catch((error: unknown) => {
    connection.release();
    throw error;
  });
  return {
    write: (chunk) => calls.over(() => upload.write(chunk), calls.streamLimitMs(WRITE_LIMIT_MS)),
    async commit() {
      try {
        const isStored = await calls.over(
          () => upload.commit(),
          calls.streamLimitMs(STREAM_LIMIT_MS),
        );
        calls.answered();
        return isStored;
      } finally {
        connection.release();
      }
    },
    async abort(reason) {
      await calls.end(() => upload.abort(reason));
      connection.release();
    },
  };
}

/** An upload whose parts are calls of their own. */
async function inParts(start: () => Promise<Upload>, calls: Calls): Promise<Upload> {
  const upload = await calls.run(start, READ_LIMIT_MS);
  return {
    write: (chunk) => calls.run(() => upload.write(chunk), calls.streamLimitMs(WRITE_LIMIT_MS)),
    commit: () => calls.run(() => upload.commit(), calls.streamLimitMs(STREAM_LIMIT_MS)),
    abort: (reason) => calls.end(() => upload.abort(reason)),
  };
}

/** Cancels the body of a late file or of a copy of one, and aborts a late upload. */
function dropLate(late: unknown): void {
  if (typeof late !== 'object' || late === null) return;
  dropLate(Reflect.get(late, 'file'));
  const body: unknown = Reflect.get(late, 'body');
  if (body instanceof ReadableStream) discard(body);
  const abort: unknown = Reflect.get(late, 'abort');
  if (typeof abort === 'function') {
    void Reflect.apply(abort, late, [new Error('The upload started after its time limit')]);
  }
}

async function collect(items: AsyncIterable<ListedFile>): Promise<readonly ListedFile[]> {
  const all: ListedFile[] = [];
  for await (const item of items) all.push(item);
  return all;
}
