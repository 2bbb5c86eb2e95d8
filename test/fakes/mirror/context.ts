import { setTimeout as sleep } from 'node:timers/promises';
import { Connections } from '../../../src/effects/connections.ts';
import type { TroubleEvent } from '../../../src/effects/emit.ts';
import { createTrace } from '../../../src/effects/trace.ts';
import type { MirrorEvent } from '../../../src/mirror/events.ts';
import { openBudgets } from '../../../src/mirror/memory-budget.ts';
import type { SharedOutcome } from '../../../src/mirror/outcome.ts';
import { SingleFlight } from '../../../src/mirror/single-flight.ts';
import { WrongFiles } from '../../../src/mirror/wrong-files.ts';
import type { Failure } from '../../../src/origins/failure.ts';
import { HealthRegistry } from '../../../src/origins/health/registry.ts';
import { askOrigins } from '../../../src/origins/race/ask.ts';
import { LayeredStore } from '../../../src/store/layered.ts';
import { KnownMarks, NO_MARKS } from '../../../src/store/marks.ts';
import { NegativeMemory } from '../../../src/store/negative-memory.ts';
import { realmTiers } from '../../../src/store/realm.ts';
import { requestTiers } from '../../../src/store/request-tiers.ts';
import { TierHealth } from '../../../src/store/tier-health.ts';
import type { Tiers } from '../../../src/store/tiers.ts';
import type { LogEvent } from '../../../src/sumdb/events.ts';
import type { LogContext } from '../../../src/sumdb/log-context.ts';
import { askEffects } from '../effects/ask.ts';
import { type FakeClock, fakeClock, settled } from '../effects/clock.ts';
import { type FakeFetch, fakeFetch } from '../effects/fetch.ts';
import { memoryCache, memoryEdge, memoryStore } from '../store/memory-store.ts';
import { copyingPipe } from './relay.ts';

/** The context of a request, in which checksum databases may be asked too. */
export interface FakeContext extends LogContext {
  readonly clock: FakeClock;
  /** The trouble events that were emitted, as `label: message`. */
  readonly troubles: readonly string[];
  /** The security events that were emitted. */
  readonly alarms: readonly SecurityEvent[];
  /** The failures that were counted against an origin after its answer was accepted. */
  readonly blamed: readonly Failure[];
  /** Resolves when no background work is left. */
  idle(): Promise<void>;
}

type SecurityEvent = LogEvent | MirrorEvent;

export interface ContextOptions {
  readonly clock?: FakeClock;
  readonly tiers?: Tiers;
  readonly fetch?: FakeFetch;
  /** The marks that the isolate knows. Default: there are none. */
  readonly known?: KnownMarks;
  /** Aborted when the client disconnects. */
  readonly signal?: AbortSignal;
  /** Default: a last good copy may have any age. */
  readonly staleMaxMs?: number;
}

/** Three tiers in memory. */
export function memoryTiers(clock: FakeClock) {
  return { near: memoryEdge(clock), world: memoryCache(), durable: memoryStore(clock) };
}

/** A request context with all effects in memory. Every request has 25 s left. */
export function fakeContext(options: ContextOptions = {}): FakeContext {
  const { clock = fakeClock(), fetch = fakeFetch({}) } = options;
  const { signal = new AbortController().signal } = options;
  const connections = new Connections();
  const forTiers = { clock, connections, health: new TierHealth(), stallMs: 20_000 };
  const health = new HealthRegistry({ clock, random: () => 0.5 });
  const troubles: string[] = [];
  const alarms: SecurityEvent[] = [];
  const blamed: Failure[] = [];
  const running = new Set<Promise<unknown>>();
  const budgets = openBudgets(clock);
  const emit = (event: SecurityEvent | TroubleEvent) => {
    if (event.event === 'security') alarms.push(event);
    else troubles.push(`${event.label}: ${messageOf(event.error)}`);
  };
  const background = (label: string, work: Promise<unknown>) => {
    const guarded = work
      .catch((error: unknown) => emit({ event: 'trouble', label, error }))
      .finally(() => running.delete(guarded));
    running.add(guarded);
  };
  const tiers = requestTiers(options.tiers ?? memoryTiers(clock), forTiers);
  const storeEffects = {
    background,
    trace: createTrace(clock),
    clock,
    emit,
    known: options.known ?? freshMarks(clock),
    hold: (bytes: number) => budgets.held.take(bytes),
  };
  const shared = () => ({
    flights: new SingleFlight<SharedOutcome>(clock),
    budgets,
    wrongFiles: new WrongFiles(clock),
  });
  const store = new LayeredStore(tiers, storeEffects);
  return {
    clock,
    troubles,
    alarms,
    blamed,
    emit,
    store,
    realm: (name) => ({
      store: new LayeredStore(realmTiers(tiers, name, new NegativeMemory(clock)), {
        ...storeEffects,
        marks: store.marks,
      }),
      shared: shared(),
    }),
    origins: {
      ask: (origins, question) =>
        askOrigins(
          origins,
          question,
          askEffects({ fetch, clock, connections, health, background, signal }),
        ),
      recordFailure: (failure) => void blamed.push(failure),
    },
    shared: shared(),
    mayFetch: true,
    staleMaxMs: options.staleMaxMs ?? Infinity,
    select: undefined,
    background,
    signal,
    timeLeftMs: () => 25_000,
    hasSpareCalls: () => connections.hasSpareCalls,
    openPipe: () => copyingPipe(),
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/** What an isolate knows that has just read the marks, of which there are none. */
function freshMarks(clock: FakeClock): KnownMarks {
  const known = new KnownMarks();
  known.take(NO_MARKS, clock.now());
  return known;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Milliseconds before the retry of the best origin when all have failed. `askEffects` has the
 * random number 0, for which the pause is the shortest.
 */
const RETRY_PAUSE_MS = 50;

/**
 * The result of `work` in which all origins fail. Advances the clock over the pause before the
 * retry.
 */
export async function afterRetry<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  await settled();
  await clock.advance(RETRY_PAUSE_MS);
  return work;
}

/** The result of work of unknown length: moves the clock in small steps until it ends. */
export async function untilDone<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
  const ended = new AbortController();
  const end = () => ended.abort();
  work.then(end, end);
  while (!ended.signal.aborted) {
    await clock.advance(RETRY_PAUSE_MS);
    await sleep(1); // signatures are checked by threads, whose time the clock does not know
  }
  return work;
}
