import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../src/config/config.ts';
import { createModferry, type Modferry } from '../../src/modferry.ts';
import { backgroundOf } from '../../src/platform/cloudflare/background.ts';
import { openPipe } from '../../src/platform/cloudflare/pipe.ts';
import { sharedStatesOf } from '../../src/platform/cloudflare/shared-state.ts';
import { DataCentreEntries } from '../../src/platform/cloudflare/data-centre.ts';
import { tiersOf } from '../../src/platform/cloudflare/tiers.ts';
import type { ModferryEvent } from '../../src/telemetry/event.ts';
import { currentInvocation, Invocation, runInvocation } from './invocation.ts';
import type { PlatformLimits } from './limits.ts';
import { installStreams } from './memory/streams.ts';
import type { Counts } from './operations.ts';
import type { EdgeCache, Fetch, Platform } from './wrap.ts';
import { limitedBucket, limitedCache, limitedFetch, limitedNamespace } from './wrap.ts';

/** An isolate: modferry in memory that remembers nothing yet, in one data centre. */
export interface Isolate {
  /**
   * Sends a request, reads its answer, and lets time pass until all background work has ended.
   */
  get(path: string, init?: RequestInit): Promise<Answer>;
  /** Sends a request. */
  visit(path: string, init?: RequestInit): Visit;
  /** Runs the scheduled jobs. */
  cron(): Promise<Counts>;
  /** What was emitted. */
  readonly events: readonly ModferryEvent[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** The calls that the request made, those of its background work included. */
  readonly counts: Counts;
}

/** A request that is under way. */
export interface Visit {
  readonly invocation: Invocation;
  readonly response: Promise<Response>;
  /** The client disconnects. */
  leave(): void;
  /** Whether background work is running. */
  readonly isBusy: () => boolean;
  /** Resolves when all background work has ended, or the platform has ended it. */
  readonly ended: () => Promise<void>;
}

/** What an isolate is given by its data centre. */
export interface Place {
  readonly dataCentre: string;
  readonly config: Config;
  readonly limits: PlatformLimits;
  readonly platform: Platform;
  /** Moves the clock. */
  readonly passTime: (ms: number) => Promise<void>;
  readonly cache: EdgeCache;
  readonly bucket: Parameters<typeof limitedBucket>[0];
  readonly namespace: Parameters<typeof limitedNamespace>[0];
  readonly fetch: Fetch;
}

/** The edge cache of the place where an invocation runs. */
const edges = new WeakMap<Invocation, EdgeCache>();

export function startIsolate(place: Place): Isolate {
  const { limits, platform } = place;
  const events: ModferryEvent[] = [];
  const modferry = compose(place, (event) => void events.push(event));
  const edge = limitedCache(place.cache, platform);

  function startInvocation(): Invocation {
    const invocation = new Invocation(limits, platform.clock);
    edges.set(invocation, edge);
    return invocation;
  }

  function visit(path: string, init?: RequestInit): Visit {
    const invocation = startInvocation();
    const gone = new AbortController();
    const running = new Set<Promise<unknown>>();
    const waitUntil = (work: Promise<unknown>) => {
      running.add(work);
      void work.finally(() => running.delete(work));
    };
    const incoming = {
      region: { dataCentre: place.dataCentre },
      signal: gone.signal,
      background: backgroundOf({ waitUntil }),
    };
    const response = runInvocation(invocation, async () =>
      modferry.app.request(path, init, { incoming }),
    );
    return {
      invocation,
      response,
      leave() {
        gone.abort(new Error('The client left'));
        invocation.answered();
      },
      isBusy: () => running.size > 0 && !invocation.ended.aborted,
      async ended() {
        const over = new Promise((resolve) => invocation.ended.addEventListener('abort', resolve));
        while (running.size > 0 && !invocation.ended.aborted)
          await Promise.race([over, Promise.all(running)]);
      },
    };
  }

  return {
    events,
    visit,
    async get(path, init) {
      const { invocation, isBusy, response } = visit(path, init);
      const answer = await response;
      const { headers, status } = answer;
      const body = await answer.bytes();
      invocation.answered();
      // Signatures are checked in real time, so the clock moves slowly.
      for (let ms = 0; isBusy(); ms = 100) {
        await place.passTime(ms);
        await delay(1);
      }
      return { status, headers, body, counts: invocation.counts };
    },
    async cron() {
      const invocation = startInvocation();
      const running: Promise<unknown>[] = [];
      const background = backgroundOf({ waitUntil: (work) => void running.push(work) });
      const incoming = { region: {}, signal: new AbortController().signal, background };
      await runInvocation(invocation, async () => {
        await modferry.runCron(incoming, 'cron');
        while (running.length > 0) await Promise.all(running.splice(0));
      });
      return invocation.counts;
    },
  };
}

/** modferry over limited bindings, by the same adapters as in workerd. */
function compose(place: Place, sink: (event: ModferryEvent) => void): Modferry {
  const { config, fetch, platform } = place;
  const clock = {
    now: () => platform.clock.now(),
    steady: () => platform.clock.steady(),
    alarm(ms: number, ring: () => void) {
      const { ended } = currentInvocation();
      return platform.clock.alarm(ms, () => {
        if (!ended.aborted) ring();
      });
    },
    sleep: (ms: number, signal?: AbortSignal) =>
      currentInvocation().outlive(platform.clock.sleep(ms, signal)),
  };
  const bindings = {
    FILES: limitedBucket(place.bucket, platform),
    META: limitedNamespace(place.namespace, platform),
  };
  const entries = new DataCentreEntries(EDGE, { clock, host: () => 'modferry.example' });
  installStreams(); // global in workerd, and Node does not have them
  return createModferry(config, {
    tiers: tiersOf(bindings, entries),
    sharedStates: sharedStatesOf(bindings, entries, clock),
    fetch: limitedFetch(fetch),
    openPipe,
    clock,
    random: () => 0,
    sink,
  });
}

/** The edge cache of the data centre in which the code runs. */
const EDGE: EdgeCache = {
  match: (...parameters) => edgeHere().match(...parameters),
  put: (...parameters) => edgeHere().put(...parameters),
  delete: (...parameters) => edgeHere().delete(...parameters),
};

function edgeHere(): EdgeCache {
  const edge = edges.get(currentInvocation());
  if (!edge) throw new Error('Cannot find the data centre of this invocation');
  return edge;
}
