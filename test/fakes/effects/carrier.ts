import type { Carrier, Shared } from '../../../src/mirror/carrier.ts';
import { askOrigins } from '../../../src/origins/race/ask.ts';
import { Flights } from '../../../src/mirror/flights.ts';
import { LayeredStore, type Tiers } from '../../../src/store/layered.ts';
import { SetAside } from '../../../src/mirror/set-aside.ts';
import type { SecurityEvent } from '../../../src/telemetry/security-event.ts';
import type { Verification } from '../../../src/mirror/verification.ts';
import { openBudgets } from '../../../src/mirror/budget.ts';
import { createTrace } from '../../../src/effects/trace.ts';
import { Pool } from '../../../src/origins/health/pool.ts';
import { askEffects } from './ask.ts';
import { type FakeClock, fakeClock, settled } from './clock.ts';
import { type FakeFetch, fakeFetch } from './fetch.ts';
import { memoryCache, memoryEdge, memoryStore } from '../store/memory-store.ts';
import { copyingPipe } from './relay.ts';

export interface FakeCarrier extends Carrier {
  readonly clock: FakeClock;
  /** What was reported, as `label: message`. */
  readonly reports: readonly string[];
  readonly alarms: readonly SecurityEvent[];
  /** Resolves when no background work is left. */
  idle(): Promise<void>;
}

export interface CarrierOptions {
  readonly clock?: FakeClock;
  readonly tiers?: Tiers;
  readonly fetch?: FakeFetch;
  /** Default: nothing is compared with anything. */
  readonly verification?: Verification;
  /** Aborted when the client leaves. */
  readonly signal?: AbortSignal;
}

const RETRY_PAUSE = 50;

/** Three tiers in memory. */
export function memoryTiers(clock: FakeClock) {
  return { edge: memoryEdge(clock), kv: memoryCache(), r2: memoryStore() };
}

/** The effects of requests, all in memory. */
export function fakeCarrier(options: CarrierOptions = {}): FakeCarrier {
  const {
    clock = fakeClock(),
    fetch = fakeFetch({}),
    signal = new AbortController().signal,
  } = options;
  const tiers = options.tiers ?? memoryTiers(clock);
  const pool = new Pool({ clock, random: () => 0.5 });
  const reports: string[] = [];
  const alarms: SecurityEvent[] = [];
  const running = new Set<Promise<unknown>>();
  const report = (label: string, error: unknown) => {
    reports.push(`${label}: ${error instanceof Error ? error.message : String(error)}`);
  };
  const background = (label: string, work: Promise<unknown>) => {
    const guarded = work
      .catch((error: unknown) => report(label, error))
      .finally(() => running.delete(guarded));
    running.add(guarded);
  };
  return {
    clock,
    reports,
    alarms,
    verification: options.verification ?? { zipRules: false },
    setAside: new SetAside(clock),
    distrust: () => undefined,
    alarm: (event) => void alarms.push(event),
    store: new LayeredStore(tiers, { background, trace: createTrace(clock), clock, report }),
    async ask(origins, question) {
      const asked = askOrigins(
        origins,
        question,
        askEffects({ fetch, clock, pool, background, signal }),
      );
      // When all have failed the best one is asked once more after 50 ms, for which no test waits.
      await settled();
      if (clock.alarms.includes(RETRY_PAUSE)) await clock.advance(RETRY_PAUSE);
      return asked;
    },
    flights: new Flights<Shared>(clock),
    budgets: openBudgets(clock),
    background,
    signal,
    timeLeft: () => 25_000,
    openPipe: () => copyingPipe(),
    report,
    async idle() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
